// Proves that the stack of an error is the same, to the column, whether its sources were rewritten or not.
import { expect } from "bun:test";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { findBinary } from "../support/find-binary.ts";
import { describe, test } from "../support/long.ts";

const SCRIPT = new URL("./error-stacks.ts", import.meta.url).pathname;

async function stacks(command: readonly string[], isolation: string): Promise<string[]> {
  const [path = "", ...options] = command;
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn(path, [...options, SCRIPT, isolation], { stdio: [...stdio] });
  return JSON.parse(await text(child.stdout)) as string[];
}

const runtimes = [
  { name: "Bun", command: [process.execPath, "--no-install"] },
  { name: "Deno", command: [findBinary("deno") ?? "", "run", "-A"] },
].filter(({ command }) => command[0] !== "");

describe.each(runtimes)("on $name", ({ command }) => {
  test.each(["warm", "process"])("errors of a %s job show the original columns", async (name) => {
    const [off = "", ...rewritten] = await stacks(command, name);
    for (const place of ["/job.ts:13:", "/lib/deep.ts:8:", "/job.ts:6:"]) {
      expect(off).toContain(place);
    }
    expect(rewritten).toEqual([off, off, off]);
  });
});
