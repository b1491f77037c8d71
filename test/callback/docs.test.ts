// Runs the receivers of docs/callbacks.md as a reader would, and delivers to them.
import { afterAll, expect } from "bun:test";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { findBinary } from "../support/find-binary.ts";
import { findFreePort } from "../support/free-port.ts";
import { describe, test } from "../support/long.ts";
import { type ProgramName, whereThere } from "../support/where-there.ts";
import { applicationFor, createTestLane, SECRET, taskFor } from "./cases.ts";

const CALLBACK_SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

const docs = readFileSync(new URL("../../docs/callbacks.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "callback-docs-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface DocumentedReceiver {
  /** Its heading. */
  readonly title: string;
  readonly file: string;
  readonly program: ProgramName;
  /** Makes what is started from the file. */
  build?(program: string, file: string): string;
  readonly args: (file: string, port: number) => readonly string[];
}

const php = (file: string, port: number) => ["-S", `127.0.0.1:${port}`, file];
const plain = (file: string) => [file];
const receivers: readonly DocumentedReceiver[] = [
  { title: "Node: Standard Webhooks", file: "webhooks.mjs", program: "node", args: plain },
  { title: "PHP: Standard Webhooks", file: "webhooks.php", program: "php", args: php },
  { title: "Python: Standard Webhooks", file: "webhooks.py", program: "python3", args: plain },
  {
    title: "Go: Standard Webhooks",
    file: "webhooks.go",
    program: "go",
    build: buildWithGo,
    args: () => [],
  },
  { title: "PHP: original headers", file: "original.php", program: "php", args: php },
  { title: "Node: original headers", file: "original.mjs", program: "node", args: plain },
];

/** Its own program, so that stopping it stops the receiver and not only the go command. */
function buildWithGo(program: string, file: string): string {
  const built = file.replace(/\.go$/, "");
  const env = { ...process.env, GO111MODULE: "off" };
  execFileSync(program, ["build", "-o", built, file], { env, cwd: folder });
  return built;
}

function sourceOf(title: string): string {
  const [, section = ""] = docs.split(`### ${title}\n`);
  const [, block = ""] = section.split(/```\w+\n/);
  const [source = ""] = block.split("\n```");
  if (source === "") throw new Error(`docs/callbacks.md has no receiver under '${title}'`);
  return source;
}

async function startReceiver({ title, file, program, build, args }: DocumentedReceiver) {
  const path = join(folder, file);
  writeFileSync(path, sourceOf(title));
  const found = findBinary(program) ?? program;
  const port = await findFreePort();
  const env = {
    PATH: process.env["PATH"],
    APP_SECRET: SECRET,
    CALLBACK_SECRET,
    PORT: String(port),
  };
  const started = build === undefined ? found : build(found, path);
  const child = spawn(started, args(path, port), { env, stdio: "ignore" });
  await eventually(() => canConnect(port));
  return { child, port };
}

function canConnect(port: number): Promise<true | undefined> {
  const { promise, resolve } = Promise.withResolvers<true | undefined>();
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(undefined));
  return promise.finally(() => socket.destroy());
}

async function stop(child: ChildProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.kill("SIGKILL");
  await promise;
}

type LaneChanges = Parameters<typeof createTestLane>[0];
type ApplicationChanges = Parameters<typeof applicationFor>[1];

const rotated: ApplicationChanges = {
  callbackSecretSealed: `whsec_${Buffer.alloc(32, 8).toString("base64")}`,
  previous: { secretSealed: `sealed:${SECRET}`, callbackSecretSealed: CALLBACK_SECRET },
};

for (const receiver of receivers) {
  whereThere(describe, receiver.program)(`the documented receiver in ${receiver.title}`, () => {
    test("takes genuine deliveries, also in a rotation, and refuses foreign and stale ones", async () => {
      const { child, port } = await startReceiver(receiver);
      const url = `http://127.0.0.1:${port}/`;
      const deliver = (lane: LaneChanges, changes: ApplicationChanges = {}) => {
        const application = { callbackSecretSealed: CALLBACK_SECRET, ...changes };
        const task = taskFor(url, { application: applicationFor(url, application) });
        return createTestLane(lane).start(task).ended;
      };
      const foreign = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
      const genuine = await deliver({ nowMs: Date.now });
      const during = await deliver({ nowMs: Date.now }, rotated);
      const refused = [
        await deliver({ nowMs: Date.now, secretBox: { open: () => foreign } }),
        await deliver({ nowMs: () => Date.now() - 310_000 }),
        await deliver({ nowMs: () => Date.now() + 310_000 }),
      ];
      await stop(child);
      expect(genuine).toMatchObject({ outcome: "succeeded" });
      expect(during).toMatchObject({ outcome: "succeeded" });
      for (const { error } of refused) {
        expect(error).toMatchObject({ reason: "status_not_2xx" });
        expect(error?.message).toContain("answered 401");
      }
    });
  });
}
