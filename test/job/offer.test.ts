// How an attempt is handed over: accepted once, or taken back, whatever happens in between.
import { describe, expect, test } from "bun:test";
import { offerAttempt } from "../../src/job/attempt/offer.ts";
import type { HostListener, JobHost } from "../../src/job/host/job-host.ts";
import { createVitalSigns } from "../../src/job/host/vitals.ts";
import { isEnded, putOnOffer, takeBack } from "../../src/job/wire/offered.ts";
import type { AttemptOrder, FromJobWorker } from "../../src/job/wire/protocol.ts";
import { openSharedMemory, PHASES, SHARED_WORDS } from "../../src/job/wire/shared-memory.ts";

const order: AttemptOrder = {
  kind: "attempt",
  id: 7,
  params: "{}",
  taskId: 1,
  attemptId: 1,
  taskNo: "no-1",
  attempt: 1,
  maxAttempts: 1,
  deadline: 0,
  memoryMb: null,
};

const crashed = { kind: "crashed", error: { name: "Error", message: "crash" } } as const;
const ended = (id: number): FromJobWorker => ({
  kind: "ended",
  id,
  end: { kind: "returned", result: "1" },
});

/** A job worker played by hand: the test is its code. */
function handMade() {
  const memory = openSharedMemory();
  let listener: HostListener | undefined;
  let asked = 0;
  const host: JobHost = {
    method: "thread",
    threadId: () => null,
    memory,
    refresh: async () => undefined,
    ready: Promise.resolve(true),
    abort: async () => null,
    post: () => undefined,
    offer: ({ id }) => putOnOffer(memory, id),
    // As a process does: the first is asked over IPC, and a dead one need not be asked.
    withdraw: async (id) => {
      asked += 1;
      if (asked === 1) await new Promise((resolve) => setImmediate(resolve));
      return takeBack(memory, id);
    },
    hasEnded: async (id) => isEnded(memory, id),
    lease: () => undefined,
    listen: (hear) => {
      listener = hear;
    },
    ping: () => Promise.resolve(true),
    readStack: () => null,
    loaded: () => undefined,
    vitals: () => createVitalSigns().read({ threadId: null, cpuAtExitMs: null }),
    kill: () => Promise.resolve(true),
  };
  const offer = offerAttempt(host, order, 50);
  const { offered, running } = PHASES;
  return {
    offer,
    memory,
    accept: () =>
      Atomics.compareExchange(memory.words, SHARED_WORDS.phase, offered, running) === offered,
    finish: () => Atomics.store(memory.words, SHARED_WORDS.phase, PHASES.ended),
    says: (message: FromJobWorker) => listener?.message(message),
    dies: (message = "crash") => listener?.death({ error: { ...crashed.error, message } }),
  };
}

const settled = (promise: Promise<unknown>) =>
  Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 200, "open"))]);

describe("an attempt on offer", () => {
  test("is taken back when nobody accepts it in time, and cannot be accepted any more", async () => {
    const { offer, accept } = handMade();
    expect(await offer.notAccepted).toEqual({ kind: "not-accepted" });
    expect(accept()).toBe(false);
  });

  test("cannot be taken back once it is accepted", async () => {
    const { offer, accept } = handMade();
    expect(accept()).toBe(true);
    expect(await offer.withdraw()).toBe(false);
    expect(await settled(offer.notAccepted)).toBe("open");
  });

  test("costs nothing when the job worker dies of something else before accepting it", async () => {
    for (const blow of ["dies", "crashes"]) {
      const { offer, says, dies } = handMade();
      if (blow === "dies") dies();
      else says(crashed);
      expect(await settled(offer.notAccepted)).toEqual({ kind: "not-accepted" });
      expect(await settled(offer.ownEnd)).toBe("open");
    }
  });
});

describe("an accepted attempt", () => {
  test("ends as its job worker says", async () => {
    const { offer, accept, says } = handMade();
    accept();
    says(ended(7));
    says({ kind: "idle", id: 7 });
    expect(await offer.ownEnd).toEqual({ kind: "returned", result: "1" });
    expect(await offer.idle).toBe(true);
  });

  test("is not ended by what is said of another one", async () => {
    const { offer, accept, says } = handMade();
    accept();
    says(ended(6));
    says({ kind: "idle", id: 6 });
    expect(await settled(offer.ownEnd)).toBe("open");
    expect(await settled(offer.idle)).toBe("open");
  });

  test("crashes for the reason that is told first: the exit only follows it", async () => {
    const { offer, accept, says, dies } = handMade();
    accept();
    says(crashed);
    dies("exit code 1");
    expect(await offer.ownEnd).toEqual(crashed);
  });

  test("crashes with its job worker", async () => {
    const { offer, accept, dies } = handMade();
    accept();
    dies();
    expect(await offer.ownEnd).toEqual(crashed);
  });

  test("keeps an end that the death of its job worker overtook", async () => {
    const { offer, accept, finish, says, dies } = handMade();
    accept();
    finish();
    dies();
    says(ended(7));
    expect(await offer.ownEnd).toEqual({ kind: "returned", result: "1" });
    expect(await offer.idle).toBe(false);
  });

  test("leaves a job worker that is not to be used again when it crashes after the end", async () => {
    const { offer, accept, finish, says } = handMade();
    accept();
    finish();
    says(ended(7));
    says(crashed);
    says({ kind: "idle", id: 7 });
    expect(await offer.ownEnd).toEqual({ kind: "returned", result: "1" });
    expect(await offer.idle).toBe(false);
  });
});
