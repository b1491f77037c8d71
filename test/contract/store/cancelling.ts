// Suite: what an end comes to once a cancel of its task is durable.
import { describe, expect, test } from "bun:test";
import type { Finish, Store } from "../../../src/store/store.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { finishOf, leaseOf, openCorner, retryOf } from "./samples.ts";
import type { CreateTestDatabase } from "./world.ts";

const error = { name: "TypeError", message: "at the signal", reason: "r", final: true };
const failed = { kind: "terminal", status: "failed" } as const;
const again = { kind: "pending", delayMs: 60_000 } as const;

export function cancellingSuite(createDatabase: CreateTestDatabase): void {
  describe("an end under a durable cancel", () => {
    let store: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ store } = opened);
    });

    const finish = (...finishes: Finish[]) => store.tasks.turn(finishes, null);

    test("a cancel requested while it ran wins over a retry, and loses to a success", async () => {
      const corner = await openCorner(store);
      const [retried, succeeded] = [await corner.start(), await corner.start()];
      for (const { taskId: id } of [retried, succeeded]) {
        await store.tasks.cancel({ reference: { applicationId: corner.applicationId, id } });
      }
      const { finished } = await finish(retryOf(retried), finishOf(succeeded));
      expect(finished).toHaveLength(2);
      const cancelled = await corner.read(retried.taskId);
      expect(cancelled.task.status).toBe("cancelled");
      expect(cancelled.task.finishedAt).not.toBeNull();
      expect(cancelled.latest?.outcome).toBe("cancelled");
      expect((await corner.read(succeeded.taskId)).task.status).toBe("succeeded");
    });

    const ends = [
      ["failed", again, "cancelled"],
      ["failed", failed, "cancelled"],
      ["crashed", again, "cancelled"],
      ["crashed", failed, "cancelled"],
      ["timed_out", again, "cancelled"],
      ["timed_out", failed, "cancelled"],
      // What its executor did is told as it was.
      ["interrupted", { kind: "pending", delayMs: 0 }, "interrupted"],
      ["lost", { kind: "pending", delayMs: 0 }, "lost"],
      ["lost", failed, "lost"],
    ] as const;

    test.each(ends)("%s, next %j: the attempt is %s", async (outcome, next, told) => {
      const corner = await openCorner(store);
      const started = await corner.start();
      const reference = { applicationId: corner.applicationId, id: started.taskId };
      await store.tasks.cancel({ reference });
      const charged = outcome !== "lost" && outcome !== "interrupted";
      const { finished } = await finish(
        finishOf(started, { end: { outcome, error }, charged, next }),
      );
      expect(finished).toEqual([leaseOf(started)]);
      const { task, latest } = await corner.read(started.taskId);
      expect(task).toMatchObject({ status: "cancelled", charged: 0, leaseUntil: null });
      expect(task.finishedAt).not.toBeNull();
      expect(latest).toMatchObject({ outcome: told, charged: false, error });
      expect(await corner.claim(1)).toEqual([]);
    });
  });
}
