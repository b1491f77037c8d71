// The last progress and the last watched values are always told, however quickly they followed others.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TraceEvent } from "../../src/core/views/trace-event.ts";
import { claimed } from "../support/claimed-task.ts";
import { finish, openLane, until } from "./attempts.ts";

const SOURCE = `import { defineJob } from "serendipity-job";

export default defineJob({
  name: "quick",
  async run({ do: action, ms }: { do: string; ms?: number }, ctx) {
    ctx.progress(10);
    ctx.progress(60, "here");
    ctx.watch({ at: 1 });
    ctx.watch({ at: 2 });
    if (action === "stay") await new Promise(() => undefined);
    if (action === "throw") throw new Error("no");
    if (action === "exit") process.exit(1);
    if (action === "finish") { ctx.progress(100); ctx.progress(70); }
    if (action !== "flood") return;
    const startedAt = Date.now();
    let percent = 0;
    while (Date.now() - startedAt < (ms ?? 0)) {
      for (let i = 0; i < 100; i++) ctx.progress((percent += 0.001));
      await ctx.sleep(1);
    }
    return { percent, ms: Date.now() - startedAt };
  },
});
`;

const jobsDir = await realpath(await mkdtemp(join(tmpdir(), "serendipity-thinned-")));
await writeFile(join(jobsDir, "quick.ts"), SOURCE);
afterAll(() => rm(jobsDir, { recursive: true }));
const lane = await openLane({ jobsDir });

const start = (params: object) => lane.start(claimed("quick", params, 600_000));

const percents = (events: readonly TraceEvent[]) =>
  dataOf(events, "progress").map(({ percent }) => percent);

function dataOf(events: readonly TraceEvent[], type: TraceEvent["type"]) {
  return events.flatMap((event) =>
    event.type === type ? [event.data as Record<string, unknown>] : [],
  );
}

describe("what was told last", () => {
  test("is an event soon after, while the job goes on", async () => {
    const attempt = start({ do: "stay" });
    const events = () => attempt.eventsAfter?.(0) ?? [];
    await until(() => dataOf(events(), "watch").length === 2 && percents(events()).length === 2);
    expect(dataOf(events(), "progress")).toEqual([{ percent: 10 }, { percent: 60, text: "here" }]);
    expect(dataOf(events(), "watch")).toEqual([{ vars: { at: 1 } }, { vars: { at: 2 } }]);
    const { progress, vars } = await attempt.inspect();
    expect([progress, vars]).toEqual([{ percent: 60, text: "here" }, { at: 2 }]);
    attempt.stop("cancel");
    await finish(attempt);
  });

  test.each(["return", "throw"])("is an event before the end: %s", async (action) => {
    const { end } = await finish(start({ do: action }));
    const events = end.trace?.events ?? [];
    expect([percents(events), dataOf(events, "watch").at(-1)]).toEqual([
      [10, 60],
      { vars: { at: 2 } },
    ]);
    const types = events.map(({ type }) => type);
    const last = action === "return" ? ["result", "state"] : ["watch", "state"];
    expect(types.slice(-2)).toEqual(last as typeof types);
  });

  test("is an event before a crash", async () => {
    const { end } = await finish(start({ do: "exit" }));
    expect([end.outcome, percents(end.trace?.events ?? [])]).toEqual(["crashed", [10, 60]]);
  });

  test("is told after 100 % too, which is told at once", async () => {
    const { end } = await finish(start({ do: "finish" }));
    expect(percents(end.trace?.events ?? [])).toEqual([10, 100, 70]);
  });

  test("ends a flood, of which at most ten a second are events", async () => {
    const { end } = await finish(start({ do: "flood", ms: 1_000 }));
    const { percent, ms } = JSON.parse(end.result ?? "") as { percent: number; ms: number };
    const told = percents(end.trace?.events ?? []);
    expect(told.at(-1)).toBe(percent);
    expect(told.length).toBeGreaterThan(2);
    expect(told.length).toBeLessThanOrEqual(ms / 100 + 3);
  });
});
