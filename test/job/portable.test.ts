// The same attempts in a process of their own on Bun and on Deno: what differs between them is said here.
import { expect } from "bun:test";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { AttemptEnd, KillReceipt } from "../../src/core/attempt.ts";
import { findBinary } from "../support/find-binary.ts";
import { describe, test } from "../support/long.ts";
import { whereThere } from "../support/where-there.ts";

const script = fileURLToPath(new URL("./portable.ts", import.meta.url));

interface Printed {
  /** Of its action. */
  readonly index: number;
  readonly action: string;
  readonly endedMs: number;
  readonly end: AttemptEnd;
  readonly gone: KillReceipt;
}

/** Runs actions; the environment has a secret that no job may see. */
async function run(command: readonly string[], actions: readonly string[]): Promise<Printed[]> {
  const [program = "", ...options] = command;
  const child = spawn(program, [...options, script, ...actions], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, A_SECRET: "hidden" },
  });
  const printed: Printed[] = [];
  for await (const line of createInterface(child.stdout)) printed.push(JSON.parse(line) as Printed);
  return printed.sort((a, b) => a.index - b.index);
}

// biome-ignore format: a table is read by its columns
const same = [
  ["return=5",             { outcome: "succeeded", result: '"5"' }],
  ["throw",                { outcome: "failed", error: { message: "it went wrong", reason: "E_WRONG" } }],
  ["refuse",               { outcome: "failed", error: { final: true } }],
  ["bigint",               { outcome: "failed", error: { reason: "result_not_json" } }],
  ["never@2000",           { outcome: "timed_out", receipt: { killed: true } }],
  ["sleep=60000@6000",     { outcome: "timed_out", receipt: { killed: true, method: "abort" } }],
  ["finish-on-signal@6000", { outcome: "succeeded", result: '"in order"' }],
  ["float-a-sleep@6000",    { outcome: "timed_out" }],
  ["exit=3",               { outcome: "crashed", error: { reason: "exit" } }],
  ["throw-later",          { outcome: "crashed", error: { message: "nobody catches this" } }],
  ["reject-later",         { outcome: "crashed", error: { message: "nobody handles this" } }],
  ["fresh",                { outcome: "succeeded", result: "1" }],
  ["fresh",                { outcome: "succeeded", result: "1" }],
  ["ports",                { outcome: "succeeded", result: '{"global":"undefined","direct":null,"workerData":null}' }],
  ["patch",                { outcome: "succeeded", result: '"still fine"' }],
  ["spin@1000",            { outcome: "timed_out" }],
] as const;

const runtimes = [
  { name: "Bun", command: [process.execPath, "--no-install"], method: "thread" },
  { name: "Deno", command: [findBinary("deno") ?? "", "run", "-A"], method: "process" },
].filter(({ command }) => command[0] !== "");
whereThere(describe, "deno")("where Deno is", () => undefined);

describe.each(runtimes)("on $name", ({ name, command, method }) => {
  const running = run(command, [...same.map(([action]) => action), "env", "call"]);

  test("attempts end as they do everywhere", async () => {
    const printed = await running;
    for (const [index, [action, end]] of same.entries()) {
      expect({ action, ...printed[index]?.end }).toMatchObject({ action, ...end });
    }
  });

  test(`a spinning job dies with its ${method}`, async () => {
    const spin = (await running)[same.length - 1];
    expect(spin?.gone).toMatchObject({ killed: true, method });
  });

  test("a job sees only the environment it is given", async () => {
    const seen = JSON.parse((await running)[same.length]?.end.result ?? "") as Record<
      string,
      object
    >;
    // Its mark is in there too, for whatever it starts.
    const env = { SHOWN: "yes", SERENDIPITY_JOB_PROCESS: expect.any(String) };
    expect(seen["process"]).toEqual(env);
    expect(seen["runtime"]).toEqual(env);
    expect(seen["meta"]).toEqual(name === "Bun" ? env : {});
  });

  test("frames are the job's own, with true lines", async () => {
    const frames = (await running)[same.length + 1]?.end.trace?.view?.frames ?? [];
    expect(frames[0]).toMatchObject({ function: "say", line: 6 });
    expect(frames[1]).toMatchObject({ function: "callFrom", line: 13 });
  });
});
