// The exact line of a job whose own file is still being imported: for detail, in its receipt and in what is kept of it.
import { afterAll, expect } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunningAttempt } from "../../src/core/attempt.ts";
import { createJobLane } from "../../src/job/job-lane.ts";
import { placesIn } from "../../src/live/read-crash-dumps.ts";
import { claimed, silent } from "../support/claimed-task.ts";
import { beforeEach, describe, test } from "../support/long.ts";
import { finish, until } from "./attempts.ts";

const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "import-line-")));
const switchFile = join(jobsDir, "do.txt");
const KINDS = ["fresh", "process"] as const;

/** The catalogue imports it too, while the switch says nothing. Lines to be named are marked with `//@ name`. */
const jobText = (isolation: (typeof KINDS)[number]) => `import { readFileSync } from "node:fs";
import { defineJob } from "serendipity-job";

const what = readFileSync(${JSON.stringify(switchFile)}, "utf8");
let n = 0;
if (what === "spin") {
  for (;;) n += 1; //@ spin
}
if (what === "wait") {
  await new Promise(() => undefined); //@ wait
}
if (what === "throw") {
  JSON.parse("{"); //@ throw
}
if (what === "exit") {
  process.exit(3); //@ exit
}
const kept = [];
if (what === "allocate") {
  for (;;) kept.push(Buffer.alloc(8e6, 1)); //@ allocate
}

export default defineJob({ name: "${isolation}", isolation: "${isolation}",${isolation === "process" ? " memoryMb: 300," : ""} run: () => n });
`;

for (const kind of KINDS) writeFileSync(join(jobsDir, `${kind}.ts`), jobText(kind));
writeFileSync(switchFile, "");
const dumpsDir = join(jobsDir, "remains");
const lane = await createJobLane({ jobsDir, slots: 2, logger: silent, dumpsDir });
afterAll(async () => {
  await lane.close();
  rmSync(jobsDir, { recursive: true });
});
beforeEach(() => writeFileSync(switchFile, ""));

function begin(kind: string, what: string, timeoutMs = 20_000): RunningAttempt {
  writeFileSync(switchFile, what);
  return lane.start(claimed(kind, {}, timeoutMs));
}

const lineOf = (name: string) =>
  jobText("fresh")
    .split("\n")
    .findIndex((text) => text.endsWith(`//@ ${name}`)) + 1;

async function lookAt(attempt: RunningAttempt) {
  await until(async () => (await attempt.inspect()).frames.length > 0);
  return attempt.inspect();
}

test("the import of a job's own file may not use more memory than its process", async () => {
  const { end } = await finish(begin("process", "allocate"));
  expect(end).toMatchObject({ outcome: "crashed", error: { reason: "out_of_memory" } });
  expect(end.trace?.view?.frames).toMatchObject([{ line: lineOf("allocate") }]);
});

describe.each(KINDS)("the import of a job's own file (%s)", (kind) => {
  const place = (name: string) => ({ file: join(jobsDir, `${kind}.ts`), line: lineOf(name) });

  test("is seen on its line while it spins, and its receipt names that line", async () => {
    const attempt = begin(kind, "spin");
    const view = await lookAt(attempt);
    attempt.stop("cancel");
    const { end, receipt } = await finish(attempt);
    expect(view.state).toBe("running");
    expect(view.frames).toEqual([expect.objectContaining(place("spin"))]);
    expect(end.outcome).toBe("cancelled");
    expect(receipt).toMatchObject({ killed: true, stack: view.frames });
    expect(end.trace?.view?.frames).toEqual(view.frames);
    expect(end.trace?.autopsy).toMatchObject({
      source: "live",
      excerpts: [{ line: lineOf("spin") }],
    });
  });

  test("is seen on the line it awaits at", async () => {
    const attempt = begin(kind, "wait", 1_000);
    const view = await lookAt(attempt);
    const { end } = await finish(attempt);
    expect(view).toMatchObject({ state: "waiting", frames: [place("wait")] });
    expect(end).toMatchObject({
      outcome: "timed_out",
      receipt: { killed: true, stack: [place("wait")] },
    });
  });

  test("can be found on its line when the executor is dead", async () => {
    const attempt = begin(kind, "spin");
    await lookAt(attempt);
    const found = placesIn(() => [dumpsDir])(attempt.task.attemptId);
    attempt.stop("cancel");
    await finish(attempt);
    expect(found).toMatchObject({ place: { state: "running", frames: [place("spin")] } });
    expect(placesIn(() => [dumpsDir])(attempt.task.attemptId)).toBeUndefined();
  });

  test("is remembered with the line at which it ended its own process", async () => {
    const { end, receipt } = await finish(begin(kind, "exit"));
    expect(end).toMatchObject({ outcome: "crashed", error: { reason: "exit" } });
    expect(receipt).toMatchObject({ killed: true, stack: [place("exit")] });
  });

  test("is remembered with the line it failed at", async () => {
    const { end } = await finish(begin(kind, "throw"));
    expect(end).toMatchObject({ outcome: "failed", error: { reason: "job_file" } });
    expect(end.trace?.view?.frames).toMatchObject([place("throw")]);
  });

  test("is no part of what is seen of the attempt", async () => {
    const { end } = await finish(begin(kind, ""));
    expect(end).toMatchObject({ outcome: "succeeded", result: "0" });
    expect(end.trace?.view?.frames.map(({ line }) => line)).not.toContain(lineOf("wait"));
  });
});
