// A forked process notices the death of its parent also when no channel tells it: Deno misses that now and then.
import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { findBinary } from "../support/find-binary.ts";

const script = fileURLToPath(new URL("./orphaned.ts", import.meta.url));
const deno = findBinary("deno");
const runtimes = [
  { name: "Bun", command: [process.execPath, "--no-install"] },
  { name: "Deno", command: deno === undefined ? [] : [deno, "run", "-A"] },
].filter(({ command }) => command.length > 0);

test.each(runtimes)(
  "on $name it ends when its parent is gone, without any word",
  async ({ command }) => {
    // A parent without a channel: nothing but its death can be noticed.
    const parent = spawn("sh", ["-c", '"$@" $$ & wait', "sh", ...command, script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said: string[] = [];
    for await (const line of createInterface(parent.stdout)) {
      said.push(line);
      if (line === "up") parent.kill("SIGKILL");
    }
    expect(said).toEqual(["up", "orphaned"]);
  },
);
