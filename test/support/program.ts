// Starts the program as an operator would: its own process, a data folder of its own, a free port.

import { join } from "node:path";
import { findFreePort } from "./free-port.ts";
import { makeServerFolder, type PrivateServer, startPrivateServer } from "./private-server.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

/** A running program and where it listens. */
export type Program = PrivateServer & { readonly url: string; readonly folder: string };

export type ProgramOptions = {
  /** Settings; DATA_DIR, PORT and LOG_LEVEL have defaults of their own here. */
  readonly env?: Readonly<Record<string, string>>;
  /** Behind `start`. */
  readonly flags?: readonly string[];
  /** Default: this Bun. */
  readonly command?: { readonly path: string; readonly args: readonly string[] };
  /** Default: today's `src/main.ts`. */
  readonly main?: string;
  /** The path that must answer 200 before the program counts as started. */
  readonly readyPath?: string;
};

/** Starts `src/main.ts start` and returns when it is ready. */
export async function startProgram(options: ProgramOptions = {}): Promise<Program> {
  const folder = await makeServerFolder("program");
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const command = options.command ?? { path: process.execPath, args: ["--no-install"] };
  const server = await startPrivateServer({
    command: command.path,
    args: [...command.args, options.main ?? MAIN, "start", ...(options.flags ?? [])],
    folder,
    env: { PORT: String(port), DATA_DIR: join(folder, "data"), LOG_LEVEL: "info", ...options.env },
    probe: () => expectOk(`${url}${options.readyPath ?? "/readyz"}`),
  });
  return Object.assign(server, { url, folder });
}

async function expectOk(url: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
}
