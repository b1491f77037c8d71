// What is kept of a trace that is too large.
import { expect, test } from "bun:test";
import { packTrace, unpackTrace } from "../../src/store/trace-text.ts";

/** Hardly gets smaller when it is packed. */
const noise = (of: number) =>
  Array.from({ length: 400 }, (_, at) => Math.sin(of * 400 + at).toString(36)).join("");

test("a trace larger than 256 KiB packed keeps its newest events, and says which are gone", () => {
  const events = Array.from({ length: 100 }, (_, at) => {
    return { seq: at + 1, at: 1, type: "log", data: noise(at) } as const;
  });
  const packed = packTrace({ view: null, events }) ?? new Uint8Array();
  const [gap, ...newest] = unpackTrace(packed).events;
  expect(packed.byteLength).toBeLessThanOrEqual(256 * 1024);
  expect(newest.length).toBeGreaterThan(20);
  expect(newest).toEqual(events.slice(-newest.length));
  expect(gap).toMatchObject({ type: "gap", data: { from: 1, to: 100 - newest.length } });
});
