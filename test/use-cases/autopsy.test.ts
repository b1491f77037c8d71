// What an autopsy is made of: the parts of a trace, cut where they are too much.
import { describe, expect, test } from "bun:test";
import { OUTCOMES } from "../../src/core/attempt.ts";
import type { TraceEvent } from "../../src/core/views/trace-event.ts";
import type { Attempt } from "../../src/store/attempt-store.ts";
import { autopsyOf, hasAutopsy } from "../../src/use-cases/autopsy.ts";

const ATTEMPT: Attempt = {
  id: 1,
  taskId: 1,
  life: 1,
  attempt: 1,
  fence: 1,
  serviceId: "executor-1",
  coroutineId: 1,
  startedAt: 1,
  finishedAt: 2,
  outcome: "crashed",
  charged: true,
  result: null,
  error: { name: "JobError", message: "it exited", reason: "exit" },
  receipt: { killed: true, method: "thread", latencyMs: 3, by: "job" },
  delivery: null,
};

function log(seq: number, message: unknown): TraceEvent {
  return { seq, at: seq, type: "log", data: { level: "info", message } };
}

describe("an autopsy", () => {
  test("is there for every outcome that is not an attempt's own", () => {
    const examined = OUTCOMES.filter((outcome) => hasAutopsy({ outcome }));
    expect(examined).toEqual(["timed_out", "cancelled", "crashed", "lost", "interrupted"]);
    expect(hasAutopsy({ outcome: null })).toBe(false);
  });

  test("of an attempt without a trace still says why and where it ran", () => {
    expect(autopsyOf(ATTEMPT, null)).toMatchObject({
      why: { reason: "exit", message: "it exited", by: "job" },
      source: "none",
      executor: "executor-1",
      frames: [],
      events: [],
      output: "",
      runtime: null,
    });
  });

  test("holds the last 200 events", () => {
    const events = Array.from({ length: 300 }, (_, index) => log(index + 1, "x"));
    const seqs = autopsyOf(ATTEMPT, { view: null, events }).events.map(({ seq }) => seq);
    expect([seqs.length, seqs[0], seqs.at(-1)]).toEqual([200, 101, 300]);
  });

  test("holds the last 8 KiB of output, cut at a whole character", () => {
    const events = [log(1, "a".repeat(5_000)), log(2, { no: "text" }), log(3, "é".repeat(2_000))];
    const { output } = autopsyOf(ATTEMPT, { view: null, events });
    expect(Buffer.byteLength(output)).toBe(8_192);
    expect(output).toEndWith(`a\n${"é".repeat(2_000)}\n`);
    const wide = autopsyOf(ATTEMPT, { view: null, events: [log(1, "é".repeat(5_000))] });
    expect(Buffer.byteLength(wide.output)).toBe(8_191);
    expect(wide.output).toStartWith("éé");
  });

  test("puts the lines to the frames they belong to", () => {
    const frame = { file: "/jobs/a.ts", function: "run" };
    const lines = { first: 2, lines: ["a", "b"] };
    const view = {
      state: "running" as const,
      frames: [
        { ...frame, line: 3 },
        { ...frame, line: 4 },
      ],
      vars: null,
      round: 0,
      elapsedMs: 1,
      progress: null,
    };
    const excerpts = [{ file: frame.file, line: 3, ...lines }];
    const autopsy = { source: "live" as const, ageMs: 2, excerpts };
    expect(autopsyOf(ATTEMPT, { view, events: [], autopsy })).toMatchObject({
      source: "live",
      age_ms: 2,
      frames: [
        { ...frame, line: 3, source: lines },
        { ...frame, line: 4, source: null },
      ],
    });
  });
});
