// How concurrent creates become few statements, and what bounds them.

import { describe, expect, test } from "bun:test";
import type { NewTask } from "../../src/core/task.ts";
import type { CreateResult } from "../../src/store/store.ts";
import { createBatches, type Stored, type Submission } from "../../src/use-cases/create-batches.ts";
import { sampleTask } from "../contract/store/samples.ts";
import { rejectionOf } from "../support/rejection.ts";

/** A database one can hold: each statement waits until it is let through. */
function createGatedStore() {
  const statements: (readonly NewTask[])[] = [];
  const gates: { pass: () => void; fail: (error: Error) => void }[] = [];
  let arrived = Promise.withResolvers<void>();
  let isOpen = false;

  return {
    statements,
    sizes: () => statements.map((tasks) => tasks.length),
    create: (tasks: readonly NewTask[]) => {
      const { promise, resolve, reject } = Promise.withResolvers<CreateResult[]>();
      const pass = () =>
        resolve(tasks.map(({ taskNo }) => ({ kind: "created", id: Number(taskNo) })));
      statements.push(tasks);
      gates.push({ pass, fail: reject });
      if (isOpen) pass();
      arrived.resolve();
      arrived = Promise.withResolvers();
      return promise;
    },
    /** Waits until this many statements were sent in all. */
    reached: async (count: number) => {
      while (statements.length < count) await arrived.promise;
    },
    /** Lets everything through from now on. */
    open: () => {
      isOpen = true;
      for (const { pass } of gates) pass();
    },
    gate: (at: number) => gates[at] ?? { pass: () => undefined, fail: () => undefined },
  };
}

function submission(taskNo: number, content = "{}"): Submission {
  const task = sampleTask(1, { taskNo: String(taskNo), content });
  return { task, dueAtMs: 0 };
}

function setUp(options: { coalesce?: boolean } = {}) {
  const store = createGatedStore();
  const stored: (readonly Stored[])[] = [];
  const failed: [unknown, number][] = [];
  const batches = createBatches({
    create: store.create,
    onStored: (batch) => stored.push(batch),
    onFailed: (thrown, count) => failed.push([thrown, count]),
    coalesce: options.coalesce ?? true,
  });
  const add = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => batches.add(submission(from + at)));
  return { store, stored, failed, batches, add };
}

describe("creates that arrive together", () => {
  test("travel in one statement and each gets its own answer", async () => {
    const { store, stored, add } = setUp();
    const answers = add(1, 300);
    await store.reached(1);
    store.gate(0).pass();
    const ids = (await Promise.all(answers)).map((result) => "id" in result && result.id);
    expect(ids).toEqual(Array.from({ length: 300 }, (_, at) => at + 1));
    expect(store.sizes()).toEqual([300]);
    expect(stored.map((batch) => batch.length)).toEqual([300]);
  });

  test("collect while two statements are on their way", async () => {
    const { store, add } = setUp();
    const first = add(1, 1);
    await store.reached(1);
    const second = add(2, 1);
    await store.reached(2);
    const waiting = add(3, 40);
    expect(store.sizes()).toEqual([1, 1]);
    store.gate(0).pass();
    await store.reached(3);
    expect(store.sizes()).toEqual([1, 1, 40]);
    store.open();
    await Promise.all([...first, ...second, ...waiting]);
  });

  test("are at most 500 to a statement", async () => {
    const { store, add } = setUp();
    const answers = add(1, 1100);
    await store.reached(2);
    store.gate(0).pass();
    store.gate(1).pass();
    await store.reached(3);
    store.gate(2).pass();
    await Promise.all(answers);
    expect(store.sizes()).toEqual([500, 500, 100]);
  });

  test("are at most about 1 MiB to a statement, and a large one goes alone", async () => {
    const { store, batches } = setUp();
    const large = "x".repeat(400 * 1024);
    const answers = [1, 2, 3].map((taskNo) => batches.add(submission(taskNo, large)));
    await store.reached(2);
    expect(store.sizes()).toEqual([2, 1]);
    store.gate(0).pass();
    store.gate(1).pass();
    await Promise.all(answers);
  });

  test("go one by one when coalescing is off", async () => {
    const { store, add } = setUp({ coalesce: false });
    const answers = add(1, 20);
    await store.reached(20);
    for (let at = 0; at < 20; at += 1) store.gate(at).pass();
    await Promise.all(answers);
    expect(store.sizes()).toEqual(Array(20).fill(1));
  });
});

describe("when the store fails", () => {
  test("everybody of that statement is told to try again, nobody else", async () => {
    const { store, failed, add } = setUp();
    const first = add(1, 3);
    await store.reached(1);
    const second = add(10, 2);
    await store.reached(2);
    const down = new Error("connect ECONNREFUSED");
    store.gate(0).fail(down);
    store.gate(1).pass();
    const refused = await Promise.allSettled(first);
    for (const { status, reason } of refused as PromiseRejectedResult[]) {
      expect(status).toBe("rejected");
      expect(reason).toMatchObject({
        code: "unavailable",
        details: { retryAfterS: 1 },
        cause: down,
      });
    }
    expect(await Promise.all(second)).toHaveLength(2);
    expect(failed).toEqual([[down, 3]]);
  });

  test("the next creates are tried again", async () => {
    const { store, batches, add } = setUp();
    const lost = batches.add(submission(1));
    await store.reached(1);
    store.gate(0).fail(new Error("down"));
    expect(await rejectionOf(lost)).toBeInstanceOf(Error);
    const [saved] = add(2, 1);
    await store.reached(2);
    store.gate(1).pass();
    expect(await saved).toEqual({ kind: "created", id: 2 });
  });

  test("more than 10,000 waiting creates are refused at once, and room comes back", async () => {
    const { store, batches, add } = setUp();
    const inFlight = add(0, 1);
    await store.reached(1);
    const second = add(1, 1);
    await store.reached(2);
    const waiting = add(2, 10_000);
    const refused = await batches.add(submission(99_999)).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: "unavailable", details: { retryAfterS: 1 } });
    for (let at = 0; at < 22; at += 1) {
      await store.reached(at + 1);
      store.gate(at).pass();
    }
    await Promise.all([...inFlight, ...second, ...waiting]);
    const [late] = add(20_000, 1);
    await store.reached(23);
    store.gate(22).pass();
    expect(await late).toEqual({ kind: "created", id: 20_000 });
  });

  test("large contents are bounded by their size, not by their number", async () => {
    const { store, batches, add } = setUp();
    const first = add(0, 1);
    await store.reached(1);
    const second = add(1, 1);
    await store.reached(2);
    const large = "x".repeat(256 * 1024);
    const waiting = Array.from({ length: 256 }, (_, at) => batches.add(submission(at + 2, large)));
    const refused = await rejectionOf(batches.add(submission(99_999)));
    expect(refused).toMatchObject({ code: "unavailable" });
    store.open();
    await Promise.all([...first, ...second, ...waiting]);
  });
});

describe("flushing", () => {
  test("settles only when nothing waits or is on its way", async () => {
    const { store, batches, add } = setUp();
    const answers = add(1, 700);
    let isFlushed = false;
    const flushed = batches.flush().then(() => {
      isFlushed = true;
    });
    await store.reached(2);
    store.gate(0).pass();
    await answers[0];
    expect(isFlushed).toBe(false);
    store.gate(1).pass();
    await flushed;
    expect(store.sizes()).toEqual([500, 200]);
    await Promise.all(answers);
  });

  test("settles at once when there is nothing", async () => {
    await setUp().batches.flush();
  });

  test("settles also when the store fails", async () => {
    const { store, batches } = setUp();
    const lost = batches.add(submission(1));
    const flushed = batches.flush();
    await store.reached(1);
    store.gate(0).fail(new Error("down"));
    expect(await rejectionOf(lost)).toBeInstanceOf(Error);
    await flushed;
  });
});
