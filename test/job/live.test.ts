// What can be seen of an attempt: live from outside, also while it spins, and afterwards in its trace.
import { describe, expect, test } from "bun:test";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { AttemptTrace } from "../../src/core/attempt.ts";
import type { TraceEvent } from "../../src/core/views/trace-event.ts";
import { eventually } from "../support/eventually.ts";
import { finish, fixtureJobs, openLane, start, until } from "./attempts.ts";

const lane = await openLane();
const traceOf = async (action: string, value?: unknown): Promise<AttemptTrace> => {
  const { end } = await finish(start(lane, action, { value }));
  return end.trace ?? { view: null, events: [] };
};
const dataOf = (trace: AttemptTrace, type: TraceEvent["type"]) =>
  trace.events.filter((event) => event.type === type).map(({ data }) => data);

describe("looking at a running attempt", () => {
  test("shows where it spins and what it watched just before", async () => {
    const attempt = start(lane, "watch-and-spin", { value: { page: 3, pages: 10 } });
    await until(async () => (await attempt.inspect()).vars !== null);
    // It spins for good: nothing but a look from outside can answer.
    const view = await attempt.inspect();
    attempt.stop("cancel");
    expect(view).toMatchObject({
      state: "running",
      vars: { page: 3, pages: 10 },
      progress: { percent: 42, text: "spinning" },
      round: 0,
    });
    expect(view.frames[0]).toMatchObject({ file: `${fixtureJobs}/action.ts` });
    expect(view.vitals?.heapBytes).toBeGreaterThan(100_000);
    expect(view.vitals?.rssBytes).toBeGreaterThan(10 * 1_048_576);
    expect(view.vitals?.eventLoopLagMs).toBeGreaterThan(0);
    expect((await finish(attempt)).end.trace?.view).toMatchObject({ vars: { page: 3, pages: 10 } });
  });

  test("tells a suspended job from a busy one, and counts how often it was resumed", async () => {
    const attempt = start(lane, "sleep-twice-and-wait");
    await until(async () => (await attempt.inspect()).round === 2);
    await until(async () => (await attempt.inspect()).state === "waiting");
    attempt.stop("cancel");
    const { end } = await finish(attempt);
    expect(end.trace?.view).toMatchObject({ state: "waiting", round: 2 });
  });

  test("counts own awaits, refused ones and the last of a function included", async () => {
    const without = (await traceOf("await-own", 0)).view?.round ?? 0;
    // Twice each: its tail, and two that are refused; then one for three at once, and one of `run` itself.
    expect(without).toBe(2 + 2 + 2 + 1 + 1);
    expect((await traceOf("await-own", 5)).view?.round).toBe(without + 5);
  });

  test("answers before the attempt begins and after it has ended", async () => {
    const attempt = start(lane, "return");
    const early = await attempt.inspect();
    expect(early).toMatchObject({ state: "starting", frames: [], round: 0 });
    await finish(attempt);
    expect(await attempt.inspect()).toMatchObject({ frames: [], vars: null, progress: null });
  });

  test("names the functions of the job's own files, innermost first", async () => {
    const trace = await traceOf("call");
    const frames = (trace.view?.frames ?? []).map(({ file, line, ...rest }) => ({
      ...rest,
      place: `${file.slice(fixtureJobs.length)}:${line}`,
    }));
    expect(frames[0]).toMatchObject({ function: "say", place: "/lib/call-from.ts:6" });
    expect(frames[1]).toMatchObject({ function: "callFrom", place: "/lib/call-from.ts:13" });
    expect(frames.every(({ place }) => !place.includes("/src/"))).toBe(true);
  });
});

describe("the trace of an attempt", () => {
  test("is a sequence without holes that ends with its outcome", async () => {
    const { events } = await traceOf("steps");
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events[0]).toMatchObject({ type: "state", data: { state: "running" } });
    expect(events.at(-1)).toMatchObject({ type: "state", data: { state: "succeeded" } });
  });

  test("holds log lines with level and fields, secrets masked", async () => {
    const trace = await traceOf("log", ["hello", { user: 5, db: { Password: "hidden" } }]);
    expect(dataOf(trace, "log")).toEqual([
      {
        level: "info",
        message: "hello",
        fields: { user: 5, db: { Password: "[masked]" } },
      },
    ]);
  });

  test("cuts a line at 4 KiB", async () => {
    const trace = await traceOf("log", ["é".repeat(10_000), { more: "x".repeat(10_000) }]);
    const [line] = dataOf(trace, "log");
    expect(Buffer.byteLength(JSON.stringify(line))).toBeLessThanOrEqual(4_096);
    expect(JSON.stringify(line)).toContain("(cut, 10000 characters)");
  });

  test("holds what the job writes to the console, stdout and stderr", async () => {
    const lines = dataOf(await traceOf("console"), "log") as { level: string; message: string }[];
    expect(lines[0]).toEqual({ level: "info", message: "said here { deep: true }" });
    expect(lines[1]?.level).toBe("error");
    expect(lines[1]?.message).toStartWith("Error: shown");
    expect(lines.slice(2).map(({ message }) => message)).toEqual(["written", "raw"]);
  });

  test("holds nested steps with their ends", async () => {
    const steps = dataOf(await traceOf("steps"), "step") as Record<string, unknown>[];
    expect(steps.map(({ name, phase, step, parent }) => [name, phase, step, parent])).toEqual([
      ["outer", "start", 1, null],
      ["inner", "start", 2, 1],
      ["inner", "end", 2, 1],
      ["broken", "start", 3, 1],
      ["broken", "failed", 3, 1],
      ["outer", "end", 1, null],
    ]);
    expect(steps[2]?.["ms"]).toBeNumber();
  });

  test("holds fetches with method, host and status, never the path", async () => {
    const server = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    await until(() => server.listening);
    const { port } = server.address() as AddressInfo;
    const trace = await traceOf("fetch", `http://127.0.0.1:${port}/secret?token=5`);
    server.close();
    expect(dataOf(trace, "fetch")).toEqual([
      { method: "GET", host: `127.0.0.1:${port}`, status: 200, ms: expect.any(Number) },
    ]);
    expect(JSON.stringify(trace)).not.toContain("secret?token");
  });

  test("shows watched vars masked at any depth and cut", async () => {
    const vars = {
      n: 1,
      list: [{ apiTOKEN: "hidden", plain: "shown" }],
      Cookie: "hidden",
      long: "x".repeat(10_000),
    };
    const { view } = await traceOf("watch", vars);
    expect(view?.vars).toMatchObject({
      n: 1,
      list: [{ apiTOKEN: "[masked]", plain: "shown" }],
      Cookie: "[masked]",
    });
    expect(JSON.stringify(view?.vars)).not.toContain("hidden");
    expect(String(view?.vars?.["long"])).toEndWith("(cut, 10000 characters)");
  });

  test("keeps the last 1,000 events of a flood and says which are gone", async () => {
    const { events } = await traceOf("flood", 20_000);
    expect(events.length).toBeLessThanOrEqual(1_000);
    const [began, gap, first] = events;
    expect(began).toMatchObject({ seq: 1, type: "state", data: { state: "running" } });
    expect(gap).toMatchObject({ type: "gap", data: { from: 2, to: (first?.seq ?? 0) - 1 } });
    const [line, result, end] = events.slice(-3);
    expect(line).toMatchObject({ seq: 20_001, data: { message: "line 20000" } });
    expect([result?.type, end?.type]).toEqual(["result", "state"]);
    const seqs = events.slice(2).map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, index) => (first?.seq ?? 0) + index));
  });

  test("survives a flood that never ends, which costs its owner neither time nor memory", async () => {
    const beside = async (action: string) => {
      const attempt = start(lane, action, { timeoutMs: 600_000 });
      await until(async () => (await attempt.inspect()).frames.length > 0);
      const before = process.memoryUsage().heapUsed;
      const turns = await countTurns(300);
      const grown = process.memoryUsage().heapUsed - before;
      attempt.stop("cancel");
      return { turns, grown, end: (await finish(attempt)).end };
    };
    // A job that takes as much of the machine and says nothing is the measure.
    const { grown, end } = await eventually(async () => {
      const silent = await beside("spin-silently");
      const flooding = await beside("flood-for-ever");
      return flooding.turns * 4 > silent.turns ? flooding : undefined;
    });
    expect(grown).toBeLessThan(16 * 1_048_576);
    expect(end.trace?.events.length).toBeLessThanOrEqual(1_000);
    expect(Buffer.byteLength(JSON.stringify(end.trace?.events))).toBeLessThanOrEqual(262_144);
  });
});

/** How often this event loop turns in a while: few turns mean that something floods it. */
async function countTurns(forMs: number): Promise<number> {
  const untilMs = performance.now() + forMs;
  let turns = 0;
  while (performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    turns += 1;
  }
  return turns;
}
