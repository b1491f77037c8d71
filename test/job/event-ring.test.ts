// The ring of events in shared memory: what it keeps, what it says is gone.
import { describe, expect, test } from "bun:test";
import { createEventWriter, readEvents } from "../../src/job/wire/event-ring.ts";
import { openSharedMemory } from "../../src/job/wire/shared-memory.ts";

function ring() {
  const memory = openSharedMemory();
  const writer = createEventWriter(memory, { now: () => 5, stringify: JSON.stringify });
  return { read: () => readEvents(memory), write: writer.write };
}

describe("a ring of events", () => {
  test("gives back what was written", () => {
    const { read, write } = ring();
    write("log", { message: "ü\n\u2028" });
    write("state", { state: "running" });
    expect(read()).toEqual([
      { seq: 1, at: 5, type: "log", data: { message: "ü\n\u2028" } },
      { seq: 2, at: 5, type: "state", data: { state: "running" } },
    ]);
  });

  test("is empty at first", () => {
    expect(ring().read()).toEqual([]);
  });

  const floods = [
    ["many small ones", 5_000, 1],
    ["large ones", 1_000, 3_500],
    ["one after the other around the ring for long", 20_000, 700],
  ] as const;

  test.each(floods)("keeps the newest and says which are gone: %s", (_, count, size) => {
    const { read, write } = ring();
    for (let i = 1; i <= count; i++) write("log", { text: "é".repeat(size), i });
    const events = read();
    const [gap, first] = events;
    expect(gap).toMatchObject({ type: "gap", data: { from: 1, to: Number(first?.seq) - 1 } });
    expect(events.at(-1)).toMatchObject({ seq: count, data: { i: count } });
    expect(events.length).toBeLessThanOrEqual(999);
    expect(events.length).toBe(count - Number(first?.seq) + 2);
    expect(Buffer.byteLength(JSON.stringify(events))).toBeLessThanOrEqual(262_144);
  });

  test("a flood of debug lines pushes out nothing but debug lines", () => {
    const { read, write } = ring();
    write("state", { state: "running" });
    write("log", { level: "info", message: "kept" });
    for (let i = 1; i <= 5_000; i++) write("log", { level: "debug", message: `line ${i}` });
    write("log", { level: "warn", message: "kept too" });
    const events = read();
    expect(events.slice(0, 3).map(({ seq, type }) => [seq, type])).toEqual([
      [1, "state"],
      [2, "log"],
      [(events[3]?.seq ?? 0) - 1, "gap"],
    ]);
    expect(events[2]?.data).toEqual({ from: 3, to: (events[3]?.seq ?? 0) - 1 });
    expect(events.at(-1)).toMatchObject({ seq: 5_003, data: { message: "kept too" } });
    expect(events.length).toBeLessThanOrEqual(999);
    expect(Buffer.byteLength(JSON.stringify(events))).toBeLessThanOrEqual(262_144);
  });

  test("debug lines among others leave a hole of their own each, within the same bounds", () => {
    const { read, write } = ring();
    for (let i = 1; i <= 4_000; i++) {
      write("log", { level: i % 2 === 0 ? "debug" : "info", message: "x".repeat(200), i });
    }
    const events = read();
    expect(events.length).toBeLessThanOrEqual(999);
    expect(Buffer.byteLength(JSON.stringify(events))).toBeLessThanOrEqual(262_144);
    let next = 1;
    for (const { seq, type, data } of events) {
      expect(type === "gap" ? (data as { from: number }).from : seq).toBe(next);
      next = seq + 1;
    }
    expect(next).toBe(4_001);
  });

  test("skips what a job made unreadable", () => {
    const memory = openSharedMemory();
    const texts = ["not json", "null", '{"seq":3,"at":1,"type":"log","data":1}'];
    const writer = createEventWriter(memory, {
      now: () => 5,
      stringify: () => texts.shift() ?? "",
    });
    for (let i = 0; i < 3; i++) writer.write("log", i);
    expect(readEvents(memory).map(({ seq, type }) => [seq, type])).toEqual([
      [2, "gap"],
      [3, "log"],
    ]);
  });
});
