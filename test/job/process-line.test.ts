// The exact line of a job in a process of its own: while it spins, when it is told to end, and when it is killed.
import { afterAll, expect } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunningAttempt } from "../../src/core/attempt.ts";
import { claimed } from "../support/claimed-task.ts";
import { describe, test } from "../support/long.ts";
import { finish, openLane, until } from "./attempts.ts";

/** Lines that are to be named are marked with `//@ name`. */
const JOB = `import { defineJob } from "serendipity-job";

function grind(start: number) {
  let n = start;
  for (;;) n += 1; //@ grind
}
function dive(depth: number): void {
  if (depth === 3_000) for (;;); //@ dive
  dive(depth + 1); //@ deeper
}
const never = () => new Promise(() => undefined);
const kept: Buffer[] = [];
async function floating() {
  await never();
}

export default defineJob({
  name: "in-process",
  isolation: "process",
  memoryMb: 300,
  redact: ["iban"],
  async run({ at }, ctx) {
    ctx.log("the last call of ctx");
    ctx.watch({ page: 3, pid: process.pid, deep: [{ theIBAN: "hidden", Password: "hidden" }] });
    if (at === "spin") grind(5);
    if (at === "dive") dive(1);
    if (at === "allocate") for (;;) kept.push(Buffer.alloc(8e6, 1)); //@ allocate
    if (at === "float") floating();
    if (at === "exit") process.exit(3); //@ exit
    if (at === "react") {
      try {
        await ctx.sleep(60_000); //@ sleep
      } catch {
        await never();
      }
    }
  },
});
`;

const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "process-line-")));
writeFileSync(join(jobsDir, "in-process.ts"), JOB);
afterAll(() => rmSync(jobsDir, { recursive: true }));
const lane = await openLane({ jobsDir });
const begin = (at: string, timeoutMs = 20_000) =>
  lane.start(claimed("in-process", { at }, timeoutMs));
const place = (name: string, of = "run") => ({
  file: join(jobsDir, "in-process.ts"),
  line: JOB.split("\n").findIndex((text) => text.endsWith(`//@ ${name}`)) + 1,
  function: of,
});

/** Once it runs: before, where the import of its file is may be shown. */
async function lookAt(attempt: RunningAttempt) {
  const isInRun = async () => (await attempt.inspect()).frames.at(-1)?.function === "run";
  await until(isInRun);
  return attempt.inspect();
}

describe("an attempt in a process", () => {
  test("is seen on its line while it spins, and its receipt names that line", async () => {
    const attempt = begin("spin");
    const view = await lookAt(attempt);
    const excerpts = attempt.excerpts?.(view);
    attempt.stop("cancel");
    const { end } = await finish(attempt);
    expect(view).toMatchObject({
      state: "running",
      vars: { page: 3, deep: [{ theIBAN: "[masked]", Password: "[masked]" }] },
    });
    expect(excerpts?.[0]).toMatchObject({ line: place("grind").line, first: 3 });
    expect(excerpts?.[0]?.lines[2]).toBe("  for (;;) n += 1; //@ grind");
    expect(view.frames.slice(0, 1)).toEqual([place("grind", "grind")]);
    expect(view.frames.map((frame) => frame.function)).toEqual(["grind", "run"]);
    expect(end.receipt).toMatchObject({ killed: true, stack: view.frames });
    expect(end.trace?.view?.frames).toEqual(view.frames);
  });

  test("still waits when the machine leaves it no time to say so", async () => {
    const attempt = begin("react");
    await until(async () => (await attempt.inspect()).frames[0]?.line === place("sleep").line);
    const pid = Number((await attempt.inspect()).vars?.["pid"]);
    process.kill(pid, "SIGSTOP");
    const view = await attempt.inspect();
    process.kill(pid, "SIGCONT");
    attempt.stop("cancel");
    await finish(attempt);
    expect(view).toMatchObject({ state: "waiting", frames: [place("sleep")] });
  });

  test("shows both ends of a deep stack and how much is left out", async () => {
    const attempt = begin("dive");
    await until(async () => (await attempt.inspect()).frames[0]?.line === place("dive").line);
    const { frames, omitted } = await attempt.inspect();
    attempt.stop("cancel");
    await finish(attempt);
    expect([frames.length, omitted]).toEqual([300, 2_701]);
    expect(frames[0]).toEqual(place("dive", "dive"));
    expect(frames.at(-2)).toEqual(place("deeper", "dive"));
    expect(frames.at(-1)?.function).toBe("run");
  });

  test("keeps the place it waited at when it was told to end, not the one it fled to", async () => {
    const { end } = await finish(begin("react", 1_500));
    expect(end.outcome).toBe("timed_out");
    expect(end.trace?.view).toMatchObject({ state: "waiting", frames: [place("sleep")] });
  });

  test("tells where it was when it was out of memory", async () => {
    const { end } = await finish(begin("allocate"));
    expect(end).toMatchObject({ outcome: "crashed", error: { reason: "out_of_memory" } });
    expect(end.trace?.view?.frames).toEqual([place("allocate")]);
  });

  test("tells where it ended its own process", async () => {
    const { end } = await finish(begin("exit"));
    expect(end.outcome).toBe("crashed");
    expect(end.trace?.view?.frames).toEqual([place("exit")]);
  });

  test("shows nothing of the attempt before it in the same process", async () => {
    expect((await finish(begin("float"))).end.outcome).toBe("succeeded");
    const second = begin("spin");
    const early = await second.inspect();
    const late = await lookAt(second);
    second.stop("cancel");
    await finish(second);
    const names = [early, late].flatMap(({ frames }) => frames.map((frame) => frame.function));
    expect(names).not.toContain("floating");
  });
});
