// Suite: which applications create tasks is kept, and counted as far as executors need it.
import { describe, expect, test } from "bun:test";
import type { Store } from "../../../src/store/store.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { sampleApplication } from "./samples.ts";
import type { CreateTestDatabase } from "./world.ts";

const HOUR_MS = 3_600_000;

export function usingSuite(createDatabase: CreateTestDatabase): void {
  describe("use of applications", () => {
    let store: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ store } = opened);
    });

    test("counts those that were noted within the time, up to two", async () => {
      const ids: number[] = [];
      for (const _ of [1, 2, 3]) ids.push(await store.applications.create(sampleApplication()));
      const counts = [await store.applications.countInUse(HOUR_MS)];
      for (const id of ids) {
        await store.applications.noteUse(id);
        await store.applications.noteUse(id);
        counts.push(await store.applications.countInUse(HOUR_MS));
      }
      expect(counts).toEqual([0, 1, 2, 2]);
      expect(await store.applications.countInUse(-1)).toBe(0);
    });

    test("one that is not there is nobody", async () => {
      await store.applications.noteUse(999_999);
      expect(await store.applications.countInUse(-1)).toBe(0);
    });
  });
}
