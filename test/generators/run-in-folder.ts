// Runs a piece of shell in a folder of its own, as far as its time goes.
import { spawn } from "node:child_process";
import { join } from "node:path";

/** Installing from a slow network takes the most of it. */
const LIMIT_MS = 180_000;

interface Piece {
  readonly folder: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What it wrote to standard output; rejects with all that it wrote when it fails or takes too long. */
export function runInFolder({ folder, script, env }: Piece): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const path = `${join(folder, "venv", "bin")}:${process.env["PATH"] ?? ""}`;
  const child = spawn("sh", ["-euc", script], {
    cwd: folder,
    // A group of its own, so that what the shell has started ends with it.
    detached: true,
    env: { ...process.env, PATH: path, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  const everything: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => everything.push(chunk));
  }
  const timer = setTimeout(() => child.pid && process.kill(-child.pid, "SIGKILL"), LIMIT_MS);
  child.once("error", reject);
  child.once("close", (code, signal) => {
    clearTimeout(timer);
    if (code === 0) return resolve(Buffer.concat(output).toString().trim());
    const end = signal === null ? `exit ${code}` : `${signal}, perhaps after ${LIMIT_MS} ms`;
    reject(new Error(`${end}: ${script.trim()}\n${Buffer.concat(everything).toString()}`));
  });
  return promise;
}
