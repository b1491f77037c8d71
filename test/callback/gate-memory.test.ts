// Shows what gates remember of applications, how much at most, and what is shown of it.
import { describe, expect, test } from "bun:test";
import { createWorld } from "./gate-world.ts";

describe("what is remembered", () => {
  test("is forgotten when nothing was heard for ten minutes", () => {
    const { gates, clock, end } = createWorld();
    end("alive");
    clock.nowMs += 700_000;
    gates.limits();
    expect(gates.states()).toEqual([]);
  });

  test("is bounded: of too many the one goes that is used least and is not shut out", () => {
    const { gates, end, own } = createWorld(100, 3);
    end("trouble", 5, 1);
    for (let id = 2; id <= 5; id++) end("alive", 1, id);
    expect([1, 2, 3, 4, 5].filter((id) => own(id) !== undefined)).toEqual([1, 4, 5]);
    expect(gates.limits().isUneven).toBe(true);
  });

  test("of deliveries on their way is never dropped", () => {
    const { gates, enter, own } = createWorld(100, 2);
    const leaves = [1, 2, 3].map((id) => enter(id));
    expect([1, 2, 3].map((id) => own(id)?.inFlight)).toEqual([1, 1, 1]);
    for (const leave of leaves) leave?.("alive");
    expect(gates.states()[0]?.inFlight).toBe(0);
  });

  test("is shown for a hundred applications of a host, the worst first", () => {
    const { end, host } = createWorld();
    for (let id = 1; id <= 150; id++) end("alive", 1, id);
    end("trouble", 5, 150);
    expect(host()).toMatchObject({ omitted: 50 });
    expect(host()?.applications).toHaveLength(100);
    expect(host()?.applications[0]).toMatchObject({ appKey: "key-150", state: "open" });
  });
});
