// Shows how applications and hosts are shut out, tried again and let in, and how many deliveries they may have at once.
import { describe, expect, test } from "bun:test";
import { createWorld, mostOf, OTHER_HOST } from "./gate-world.ts";

describe("the breaker of an application", () => {
  test("opens at the fifth failure in a row, not before", () => {
    const { gates, end, own } = createWorld();
    end("trouble", 4);
    expect(own()).toMatchObject({ state: "closed", failures: 4, nextTry: null });
    end("trouble");
    expect(own()).toMatchObject({ state: "open", failures: 5 });
    expect([mostOf(gates), gates.limits().isUneven]).toEqual([0, true]);
  });

  test.each(["trouble", "silent", "unheard"] as const)("leaves others alone: %s", (sign) => {
    const { gates, end, host, own } = createWorld();
    end(sign, 50);
    expect(own()).toMatchObject({ state: "open" });
    expect(host()).toMatchObject({ state: "closed" });
    end("alive", 1, 2);
    expect([mostOf(gates, 1), mostOf(gates, 2)]).toEqual([0, 11]);
    expect(own(2)).toMatchObject({ state: "closed", failures: 0 });
  });

  test("an answer between failures starts the count again; what was stopped does not count", () => {
    const { end, own } = createWorld();
    end("trouble", 4);
    end("alive");
    end("trouble", 4);
    end("nothing", 10);
    expect(own()).toMatchObject({ state: "closed", failures: 4 });
  });

  test("lets one probe out when its time is over, and closes when that one is answered", () => {
    const { gates, clock, enter, end, own } = createWorld();
    end("trouble", 5);
    expect(own()?.nextTry).toBe(clock.nowMs + 1_000);
    clock.nowMs += 1_000;
    expect(own()).toMatchObject({ state: "half-open", nextTry: null });
    expect(mostOf(gates)).toBe(1);
    const probe = enter();
    expect(mostOf(gates)).toBe(0);
    probe?.("alive");
    expect(own()).toMatchObject({ state: "closed", failures: 0, inFlight: 0 });
    expect(mostOf(gates)).toBeGreaterThan(1);
  });

  test("a probe that fails doubles the wait, up to half a minute", () => {
    const { clock, end, own } = createWorld();
    end("trouble", 5);
    const waits = Array.from({ length: 7 }, () => {
      const waitMs = (own()?.nextTry ?? 0) - clock.nowMs;
      clock.nowMs += waitMs;
      end("trouble");
      return waitMs;
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  test("a probe that was cancelled leaves room for another", () => {
    const { gates, clock, end } = createWorld();
    end("trouble", 5);
    clock.nowMs += 1_000;
    end("nothing");
    expect(mostOf(gates)).toBe(1);
  });

  test("failures of deliveries that began before do not push the next try away", () => {
    const { enter, end, own } = createWorld();
    const old = enter();
    end("trouble", 5);
    const nextTry = own()?.nextTry;
    old?.("trouble");
    expect(own()?.nextTry).toBe(nextTry);
  });

  test("what was claimed before it opened is not sent", () => {
    const { enter, end } = createWorld();
    end("trouble", 5);
    expect(enter()).toBeNull();
  });
});

describe("the breaker of a host", () => {
  /** Nobody was answered five times: each of two applications heard nothing. */
  function shutOut() {
    const world = createWorld();
    world.end("silent", 3, 1);
    world.end("silent", 2, 2);
    return world;
  }

  test("opens when nobody is answered, seen from two applications", () => {
    const { gates, enter, host } = shutOut();
    expect(host()).toMatchObject({ state: "open", failures: 5 });
    expect([1, 2].map((id) => mostOf(gates, id))).toEqual([0, 0]);
    expect(enter(3)).toBeNull();
    expect(mostOf(gates, 3)).toBe(0);
  });

  test("stays closed while anybody is answered, be it with an error", () => {
    const { end, host } = createWorld();
    for (let time = 0; time < 10; time++) {
      end("silent", 2, 1);
      end("silent", 2, 2);
      end("trouble", 1, 3 + time);
    }
    expect(host()).toMatchObject({ state: "closed" });
  });

  test("lets one probe out for all, of each application in turn", () => {
    const { gates, clock, enter, host } = shutOut();
    const first: number[] = [];
    for (let time = 0; time < 6; time++) {
      clock.nowMs = host()?.nextTry ?? 0;
      expect([mostOf(gates, 1), mostOf(gates, 2), gates.limits().isUneven]).toEqual([1, 1, true]);
      const allowance = gates.limits().allowance();
      const turns = [1, 2].map((id) => allowance.probeTurn(id) ?? Number.NaN);
      const next = Number(turns[0]) <= Number(turns[1]) ? 1 : 2;
      first.push(next);
      const probe = enter(next);
      expect([mostOf(gates, 1), mostOf(gates, 2)]).toEqual([0, 0]);
      probe?.("silent");
    }
    expect(first).toEqual([1, 2, 1, 2, 1, 2]);
    expect(gates.limits().allowance().probeTurn(99)).toBeNull();
  });

  test("lets others probe when a probe has waited for a second, each once, up to a tenth of the slots", () => {
    const { gates, clock, enter, end, host } = shutOut();
    clock.nowMs = host()?.nextTry ?? 0;
    enter(1);
    clock.nowMs += 999;
    expect([mostOf(gates, 1), mostOf(gates, 2)]).toEqual([0, 0]);
    clock.nowMs += 1;
    expect([mostOf(gates, 1), mostOf(gates, 2)]).toEqual([0, 1]);
    for (let id = 3; id <= 11; id++) {
      enter(id);
      expect(mostOf(gates, 2)).toBe(0);
      clock.nowMs += 1_000;
    }
    expect(host()).toMatchObject({ state: "half-open", inFlight: 10 });
    expect(mostOf(gates, 2)).toBe(0);
    end("alive", 1, 2);
    expect(host()).toMatchObject({ state: "closed" });
  });

  test("is probed by five that hang also where a tenth of the slots is less", () => {
    const { gates, clock, enter, end, host } = createWorld(20);
    end("silent", 3, 1);
    end("silent", 2, 2);
    clock.nowMs = host()?.nextTry ?? 0;
    for (let id = 1; id <= 5; id++) {
      expect(mostOf(gates, id)).toBe(id <= 2 ? 1 : 2);
      enter(id);
      clock.nowMs += 1_000;
    }
    enter(6)?.("nothing");
    expect([host()?.inFlight, mostOf(gates, 6)]).toEqual([5, 0]);
  });

  test("closes by the probe of an application that has moved to another host meanwhile", () => {
    const { gates, clock, enter, end } = createWorld();
    for (const id of [1, 2]) end("silent", 3, id);
    clock.nowMs += 1_000;
    const probe = enter(1);
    expect(probe).not.toBeNull();
    gates.enter(OTHER_HOST, { id: 1, appKey: "app-1" })?.("alive");
    probe?.("alive");
    expect(gates.limits().isUneven).toBe(false);
  });

  test("waits no longer than ten seconds, and opens no breaker of an application meanwhile", () => {
    const { clock, end, host, own } = shutOut();
    const waits = Array.from({ length: 6 }, () => {
      const waitMs = (host()?.nextTry ?? 0) - clock.nowMs;
      clock.nowMs += waitMs;
      end("silent");
      return waitMs;
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(own()).toMatchObject({ state: "closed", failures: 3 });
  });

  test("closes for all when one is answered; who was shut out by silence may try at once", () => {
    const { gates, clock, end, host, own } = createWorld();
    end("silent", 5, 1);
    end("trouble", 5, 3);
    clock.nowMs += 1_000;
    end("trouble", 1, 3);
    end("silent", 1, 1);
    end("silent", 4, 2);
    expect(host()).toMatchObject({ state: "open", failures: 5 });
    clock.nowMs += 1_000;
    const waits = () => [1, 2, 3].map((id) => own(id)?.state);
    expect(waits()).toEqual(["open", "closed", "open"]);
    end("trouble", 1, 4);
    expect(host()).toMatchObject({ state: "closed", failures: 0 });
    expect(waits()).toEqual(["half-open", "closed", "open"]);
    expect([1, 2, 3].map((id) => mostOf(gates, id))).toEqual([1, 10, 0]);
  });
});

describe("room", () => {
  test("begins with a tenth of the slots, and grows with quick answers to a half", () => {
    const { gates, end } = createWorld();
    expect(mostOf(gates)).toBe(10);
    end("alive", 10);
    expect(mostOf(gates)).toBe(20);
    end("alive", 100);
    expect(mostOf(gates)).toBe(50);
  });

  test("a failure halves it", () => {
    const { gates, end } = createWorld();
    end("alive", 100);
    end("trouble");
    expect(mostOf(gates)).toBe(25);
    end("alive");
    expect(mostOf(gates)).toBe(26);
  });

  test("of a host is half of the slots, whoever uses them", () => {
    const { gates, enter, host } = createWorld(10);
    const leaves = Array.from({ length: 7 }, () => enter());
    expect(leaves.map((leave) => leave !== null)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect([mostOf(gates), enter(2), host()?.inFlight]).toEqual([0, null, 5]);
  });

  test("of one application leaves a quarter of its host's to the others", () => {
    const { gates, enter, end } = createWorld(40);
    end("alive", 100, 1);
    end("alive", 100, 2);
    expect(mostOf(gates, 1)).toBe(15);
    for (let time = 0; time < 15; time++) enter(1);
    expect([mostOf(gates, 1), mostOf(gates, 2)]).toEqual([0, 5]);
  });

  test("that is not earned is shared by the applications of a host, at least one each", () => {
    const { gates, enter } = createWorld(100);
    enter(1);
    expect(mostOf(gates, 1)).toBe(9);
    for (let id = 2; id <= 5; id++) enter(id);
    enter(9, OTHER_HOST);
    expect([mostOf(gates, 1), mostOf(gates, 9)]).toEqual([1, 9]);
    for (let id = 10; id <= 30; id++) enter(id);
    expect([mostOf(gates, 1), mostOf(gates, 30)]).toEqual([0, 0]);
    enter(31)?.("nothing");
    expect(mostOf(gates, 31)).toBe(1);
  });

  test("of all applications that are not known is a tenth together", () => {
    const { gates } = createWorld();
    const allowance = gates.limits().allowance();
    const taken = Array.from({ length: 20 }, (_, id) => allowance.take(id));
    expect(taken.filter(Boolean)).toHaveLength(10);
    expect(gates.limits().isUneven).toBe(false);
  });

  test("one slot is still a slot", () => {
    const { gates, enter } = createWorld(1);
    expect(mostOf(gates)).toBe(1);
    expect(enter()).not.toBeNull();
  });
});
