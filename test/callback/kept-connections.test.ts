// Shows how long a connection to a checked address is used again: real sockets, an injected clock.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { lookup } from "node:dns";
import { createAddressGuard } from "../../src/callback/address-guard.ts";
import { createSender, type Sender } from "../../src/callback/deliver.ts";
import { createDestinations } from "../../src/callback/destination.ts";
import type { Verdict } from "../../src/callback/verdict.ts";
import { eventually } from "../support/eventually.ts";
import { type Receiver, startGoodReceiver } from "./receivers.ts";

const destinationOf = createDestinations([]);
const headers = { "content-length": "2" };

let receiver: Receiver;
let sender: Sender;
let clockMs = 0;
/** How often the name was resolved, and so checked. */
let checks = 0;
/** What the name resolves to from now on. */
let isRebound = false;

beforeAll(async () => {
  receiver = await startGoodReceiver();
});
afterAll(() => receiver.close());

beforeEach(() => {
  [clockMs, checks, isRebound] = [1_000_000, 0, false];
  const guard = createAddressGuard({ allow: null, allowLoopback: true }, (name, options, done) => {
    checks += 1;
    if (isRebound) done(null, [{ address: "169.254.169.254", family: 4 }]);
    else lookup(name, { ...options, all: true, family: 4 }, done);
  });
  sender = createSender({ guard, nowMs: Date.now, connectLimitMs: 5_000, clockMs: () => clockMs });
});

async function deliver(): Promise<Verdict> {
  const to = destinationOf(`http://localhost:${receiver.port}/`);
  if (typeof to === "string") throw new Error(to);
  const delivery = sender.send({ to, headers, body: "{}", match: "body" });
  const verdict = await delivery.verdict;
  await delivery.released;
  return verdict;
}

test("within 60 s of its check a connection is used again, then the name is checked again", async () => {
  const before = receiver.connections();
  // Every 3 s, so that it never grows idle.
  for (let at = 0; at < 60_000; at += 3_000) {
    expect(await deliver()).toEqual({ error: null });
    clockMs += 3_000;
  }
  expect([receiver.connections() - before, checks]).toEqual([1, 1]);
  expect(await deliver()).toEqual({ error: null });
  expect([receiver.connections() - before, checks]).toEqual([2, 2]);
  sender.close();
});

test("a name that points elsewhere meanwhile is reached for no longer than that, and then refused", async () => {
  expect(await deliver()).toEqual({ error: null });
  isRebound = true;
  for (let at = 0; at < 57_000; at += 3_000) {
    clockMs += 3_000;
    expect(await deliver()).toEqual({ error: null });
  }
  expect(checks).toBe(1);
  clockMs += 3_000;
  expect((await deliver()).error).toMatchObject({ reason: "address_refused", final: true });
  expect(checks).toBe(2);
  sender.close();
});

test("an idle connection is not used after 4 s, and is closed", async () => {
  const before = receiver.connections();
  await deliver();
  clockMs += 4_000;
  await deliver();
  expect(receiver.connections() - before).toBe(2);
  clockMs += 4_000;
  await eventually(() => (receiver.open() === 0 ? true : undefined));
  sender.close();
});
