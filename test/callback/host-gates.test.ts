// Shows how a host is shut out, tried again and let in, and how many deliveries it may have at once.
import { describe, expect, test } from "bun:test";
import { createHostGates, type HostGates, type HostSign } from "../../src/callback/host-gates.ts";
import { hostSign } from "../../src/callback/host-sign.ts";

const HOST = "shop.example:443";

function createWorld(concurrency = 100) {
  const clock = { nowMs: 1_000_000 };
  const gates = createHostGates({ concurrency, nowMs: () => clock.nowMs });
  return { clock, gates, end: (sign: HostSign, times = 1) => endSome(gates, sign, times) };
}

function endSome(gates: HostGates, sign: HostSign, times: number): void {
  for (let time = 0; time < times; time++) gates.enter(HOST, 1)?.(sign);
}

function mostOf(gates: HostGates, applicationId = 1): number | undefined {
  return gates.limits().shares.find((share) => share.applicationIds.includes(applicationId))?.most;
}

describe("the breaker", () => {
  test("opens at the fifth failure in a row, not before", () => {
    const { gates, end } = createWorld();
    end("dead", 4);
    expect(gates.states()[0]).toMatchObject({ state: "closed", failures: 4, nextTry: null });
    end("dead");
    expect(gates.states()[0]).toMatchObject({ host: HOST, state: "open", failures: 5 });
    expect(mostOf(gates)).toBe(0);
  });

  test("an answer between failures starts the count again; what was stopped does not count", () => {
    const { gates, end } = createWorld();
    end("dead", 4);
    end("alive");
    end("dead", 4);
    end("nothing", 10);
    expect(gates.states()[0]).toMatchObject({ state: "closed", failures: 4 });
  });

  test("lets one probe out when its time is over, and closes when that one is answered", () => {
    const { gates, clock, end } = createWorld();
    end("dead", 5);
    expect(gates.states()[0]?.nextTry).toBe(clock.nowMs + 1_000);
    clock.nowMs += 1_000;
    expect(gates.states()[0]).toMatchObject({ state: "half-open", nextTry: null });
    expect(mostOf(gates)).toBe(1);
    const probe = gates.enter(HOST, 1);
    expect(mostOf(gates)).toBe(0);
    probe?.("alive");
    expect(gates.states()[0]).toMatchObject({ state: "closed", failures: 0, inFlight: 0 });
    expect(mostOf(gates)).toBeGreaterThan(1);
  });

  test("a probe that fails doubles the wait, up to half a minute", () => {
    const { gates, clock, end } = createWorld();
    end("dead", 5);
    const waits = Array.from({ length: 7 }, () => {
      const waitMs = (gates.states()[0]?.nextTry ?? 0) - clock.nowMs;
      clock.nowMs += waitMs;
      end("dead");
      return waitMs;
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  test("a probe that was cancelled leaves room for another", () => {
    const { gates, clock, end } = createWorld();
    end("dead", 5);
    clock.nowMs += 1_000;
    end("nothing");
    expect(mostOf(gates)).toBe(1);
  });

  test("failures of deliveries that began before do not push the next try away", () => {
    const { gates, end } = createWorld();
    const old = gates.enter(HOST, 1);
    end("dead", 5);
    const nextTry = gates.states()[0]?.nextTry;
    old?.("dead");
    expect(gates.states()[0]?.nextTry).toBe(nextTry);
  });
});

describe("the room of a host", () => {
  test("begins with a tenth of the slots, and grows with quick answers to a half", () => {
    const { gates, end } = createWorld();
    expect(gates.limits().mostOfOthers).toBe(10);
    end("alive", 10);
    expect(mostOf(gates)).toBe(20);
    end("alive", 100);
    expect(mostOf(gates)).toBe(50);
  });

  test("a failure halves it", () => {
    const { gates, end } = createWorld();
    end("alive", 100);
    end("dead");
    expect(mostOf(gates)).toBe(25);
    end("alive");
    expect(mostOf(gates)).toBe(26);
  });

  test("is what is left of it, and never more than half of the slots", () => {
    const { gates } = createWorld(10);
    const leaves = Array.from({ length: 7 }, () => gates.enter(HOST, 1));
    expect(leaves.map((leave) => leave !== null)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(mostOf(gates)).toBe(0);
    expect(gates.states()[0]?.inFlight).toBe(5);
  });

  test("belongs to all applications of the host together, and to no other host", () => {
    const { gates } = createWorld();
    gates.enter(HOST, 1);
    gates.enter(HOST, 2);
    gates.enter("other.example:443", 3);
    expect(gates.limits().shares).toEqual([
      { applicationIds: [1, 2], most: 8 },
      { applicationIds: [3], most: 9 },
    ]);
  });

  test("one slot is still a slot", () => {
    const { gates } = createWorld(1);
    expect(gates.limits().mostOfOthers).toBe(1);
    expect(gates.enter(HOST, 1)).not.toBeNull();
  });
});

test("a host of which nothing was heard for ten minutes is forgotten", () => {
  const { gates, clock, end } = createWorld();
  end("alive");
  clock.nowMs += 700_000;
  gates.limits();
  expect(gates.states()).toEqual([]);
});

const log = { delivery: { status: 503 } };

test.each([
  ["succeeded", {}, "alive"],
  ["failed", { error: { reason: "body_not_success" } }, "alive"],
  ["failed", { error: { reason: "status_not_2xx" }, delivery: { status: 404 } }, "alive"],
  ["failed", { error: { reason: "status_not_2xx" }, ...log }, "dead"],
  ["failed", { error: { reason: "status_not_2xx" }, delivery: { status: 429 } }, "dead"],
  ["failed", { error: { reason: "connect_failed" } }, "dead"],
  ["failed", { error: { reason: "name_not_resolved" } }, "dead"],
  ["timed_out", { error: { reason: "timeout" } }, "dead"],
  ["failed", { error: { reason: "address_refused" } }, "nothing"],
  ["cancelled", {}, "nothing"],
  ["interrupted", {}, "nothing"],
])("%s %j says of its host: %s", (outcome, end, sign) => {
  expect(hostSign({ outcome, ...end } as Parameters<typeof hostSign>[0])).toBe(sign as HostSign);
});
