// What can be seen of an attempt in a job process, whose memory is only read through its main thread.
import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { claimed } from "../support/claimed-task.ts";
import { finish, openLane, until } from "./attempts.ts";

const jobsDir = fileURLToPath(new URL("../kill/jobs", import.meta.url));
const lane = await openLane({ jobsDir });
const begin = (action: string) => lane.start(claimed("in-process", { do: action }, 20_000));

describe("an attempt in a process", () => {
  test("tells its events and what it uses up while it spins", async () => {
    const attempt = begin("for(;;)");
    await until(() => (attempt.eventsAfter?.(0).length ?? 0) > 0);
    const events = attempt.eventsAfter?.(0) ?? [];
    expect(events[0]).toMatchObject({ seq: 1, type: "state", data: { state: "running" } });
    expect(attempt.eventsAfter?.(events.at(-1)?.seq ?? 0)).toEqual([]);
    await until(async () => ((await attempt.inspect()).vitals?.cpuMs ?? 0) > 0);
    const { vitals, state } = await attempt.inspect();
    expect(state).toBe("running");
    expect(vitals?.rssBytes).toBeGreaterThan(10 * 1_048_576);
    expect(vitals?.heapBytes).toBeGreaterThan(100_000);
    expect(vitals?.eventLoopLagMs).toBeGreaterThan(0);
    expect(vitals?.memoryAgeMs).toBeGreaterThan(0);
    attempt.stop("cancel");
    const { end } = await finish(attempt);
    expect(end.receipt).toMatchObject({ killed: true, method: "process" });
    expect(attempt.eventsAfter?.(0)).toEqual(end.trace?.events ?? []);
  });

  test("tells nothing of the attempt before it in the same process", async () => {
    const { end } = await finish(begin("no such action"));
    expect(end.outcome).toBe("failed");
    const beganAt = Date.now();
    const second = begin("an ignored signal");
    await until(() => (second.eventsAfter?.(0).length ?? 0) > 0);
    const events = second.eventsAfter?.(0) ?? [];
    second.stop("cancel");
    await finish(second);
    expect(events.filter(({ at }) => at < beganAt)).toEqual([]);
  });
});
