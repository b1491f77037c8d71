// Suite: claims keep to the limits of receivers, and what a delivery left behind is kept.
import { describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import type { ClaimLimits } from "../../../src/core/attempt.ts";
import type { DeliveryLog } from "../../../src/core/views/delivery-log.ts";
import type { Store } from "../../../src/store/store.ts";
import { withMigratedStore } from "./migrated-store.ts";
import {
  claimOf,
  finishOf,
  openCorner,
  present,
  sampleApplication,
  sampleTask,
} from "./samples.ts";
import type { CreateTestDatabase } from "./world.ts";

export function limitingSuite(createDatabase: CreateTestDatabase): void {
  describe("limits of claims", () => {
    let store: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ store } = opened);
    });

    /** Applications with so many due tasks each, of a job of their own. */
    async function backlog(...sizes: readonly number[]) {
      const job = randomUUID();
      const ids: number[] = [];
      for (const size of sizes) {
        const id = await store.applications.create(sampleApplication());
        await store.tasks.create(Array.from({ length: size }, () => sampleTask(id, { job })));
        ids.push(id);
      }
      return { job, ids };
    }

    async function claimedBy(job: string, slots: number, shared: Shared) {
      const limits = limitsOf(shared);
      const result = await store.tasks.turn([], claimOf(job, slots, { limits }));
      const owners = result.claimed.map(({ application }) => application.id);
      return {
        ...result,
        count: (id: number | undefined) => owners.filter((it) => it === id).length,
      };
    }

    test("an application gets its share, others the rest, although its backlog is older", async () => {
      const { job, ids } = await backlog(30, 10);
      const limits = { mostOfOthers: 100, shares: [{ applicationIds: ids.slice(0, 1), most: 3 }] };
      const { count, claimed, moreDue } = await claimedBy(job, 20, limits);
      expect([count(ids[0]), count(ids[1]), claimed.length]).toEqual([3, 10, 13]);
      expect(moreDue).toBe(true);
    });

    test("nothing is claimed of those who may have nothing, and all others are found", async () => {
      const { job, ids } = await backlog(600, 2, 0, 3);
      const limits = { mostOfOthers: 100, shares: [{ applicationIds: ids.slice(0, 1), most: 0 }] };
      const { count, claimed } = await claimedBy(job, 50, limits);
      expect([count(ids[0]), count(ids[1]), count(ids[3])]).toEqual([0, 2, 3]);
      expect(claimed).toHaveLength(5);
      expect((await claimedBy(job, 50, limits)).claimed).toEqual([]);
    });

    test("a due task far behind many idle applications is found in the same turn", async () => {
      const jobs = Array.from({ length: 50 }, () => randomUUID());
      const [closed = 0] = (await backlog(0)).ids;
      await store.tasks.create(jobs.map((job) => sampleTask(closed, { job })));
      // A turn looks at ten applications at a time, for so many jobs.
      const idle = await backlog(...Array.from({ length: 25 }, () => 0));
      const [newest = 0] = (await backlog(0)).ids;
      await store.tasks.create([sampleTask(newest, { job: present(jobs[0]) })]);
      const limits = limitsOf({
        mostOfOthers: 100,
        shares: [{ applicationIds: [closed], most: 0 }],
      });
      const claim = claimOf(idle.job, 5, { jobs, limits });
      const { claimed } = await store.tasks.turn([], claim);
      expect(claimed.map(({ application }) => application.id)).toEqual([newest]);
    });

    test("applications of one host share its limit", async () => {
      const { job, ids } = await backlog(5, 5, 5);
      const limits = { mostOfOthers: 100, shares: [{ applicationIds: ids.slice(0, 2), most: 4 }] };
      const { count } = await claimedBy(job, 50, limits);
      expect(count(ids[0]) + count(ids[1])).toBe(4);
      expect(count(ids[2])).toBe(5);
    });

    test("applications without a share have one limit together", async () => {
      const { job } = await backlog(5, 5, 5);
      const { claimed } = await claimedBy(job, 50, { mostOfOthers: 7, shares: [] });
      expect(claimed).toHaveLength(7);
    });

    test("applications that wait for one probe get it in turn, whoever has been served last", async () => {
      const { job, ids } = await backlog(5, 5, 5, 5);
      const [a = 0, b = 0, c = 0, other = 0] = ids;
      const probers: number[] = [];
      for (let probe = 1; probe <= 6; probe++) {
        const turns = new Map([a, b, c].map((id) => [id, probers.lastIndexOf(id) + 1]));
        const shares = [{ applicationIds: [a, b, c], most: 1, turns }];
        const shared = { mostOfOthers: 1, shares };
        const { claimed, count } = await claimedBy(job, 10, shared);
        expect([claimed.length, count(other)]).toEqual(probe <= 5 ? [2, 1] : [1, 0]);
        probers.push(...[a, b, c].filter((id) => count(id) > 0));
      }
      expect(probers).toEqual([a, b, c, a, b, c]);
    });

    test("what waits for its share is still pending and has no attempt", async () => {
      const corner = await openCorner(store);
      const [id] = await corner.add({});
      const limits = limitsOf({ mostOfOthers: 0, shares: [] });
      expect(await corner.claim(5, { limits })).toEqual([]);
      const { task, latest } = await corner.read(present(id));
      expect([task.status, task.attempt, latest]).toEqual(["pending", 0, null]);
    });
  });

  describe("deliveries", () => {
    test("what went over the wire is kept with the attempt", async () => {
      const database = await createDatabase();
      const store = database.open();
      await store.migrate();
      const corner = await openCorner(store);
      const claimed = await corner.start();
      const end = { outcome: "failed", delivery } as const;
      await store.tasks.turn([finishOf(claimed, { end })], null);
      const [attempt] = await store.attempts.list(claimed.taskId, 10);
      expect(attempt?.delivery).toEqual(delivery);
      await store.executors.register({ serviceId: "one", host: "h", pid: 1 });
      await store.executors.register({ serviceId: "two", host: "h", pid: 2 });
      await store.executors.declareDead("one");
      expect(await store.executors.living()).toEqual(["two"]);
      await database.drop();
    });
  });
}

/** Limits as a table; applications that wait for a probe say when their turn is. */
interface Shared {
  readonly mostOfOthers: number;
  readonly shares: readonly {
    readonly applicationIds: readonly number[];
    readonly most: number;
    readonly turns?: ReadonlyMap<number, number>;
  }[];
}

function limitsOf({ mostOfOthers, shares }: Shared): ClaimLimits {
  function allowance() {
    const others = { left: mostOfOthers };
    const counted = shares.map((share) => ({ ...share, left: share.most }));
    const shareOf = (id: number) => counted.find((it) => it.applicationIds.includes(id)) ?? others;
    return {
      isClosed: (id: number) => shareOf(id).left <= 0,
      take: (id: number) => shareOf(id).left-- > 0,
      probeTurn: (id: number) => shares.flatMap((it) => it.turns?.get(id) ?? []).at(0) ?? null,
    };
  }
  return { isUneven: shares.some((it) => it.most === 0 || it.turns !== undefined), allowance };
}

const delivery: DeliveryLog = {
  url: "https://shop.example/callbacks?token=",
  address: "203.0.113.7",
  timings: { dns: 3.1, connect: null, tls: null, first_byte: 110.2, total: 110.8 },
  status: 503,
  request_headers: { signature: "[redacted]" },
  response_headers: { "retry-after": "30" },
  response_body: "呵呵\u0000",
  response_truncated: false,
};
