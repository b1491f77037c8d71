// Secrets of applications: what a rotation replaces, how long the old ones are good, and which of two rotations counts.
import { describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import type { Rotation, Store } from "../../../src/store/store.ts";
import { withMigratedStore } from "./migrated-store.ts";
import { claimOf, openCorner, present, sampleApplication } from "./samples.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

const HOUR_MS = 3_600_000;

export function rotatingSuite(createDatabase: CreateTestDatabase): void {
  describe("rotating secrets", () => {
    let database: TestDatabase;
    let store: Store;

    withMigratedStore(createDatabase, (opened) => {
      ({ database, store } = opened);
    });

    async function add() {
      const application = sampleApplication({
        secretSealed: "old",
        callbackSecretSealed: "old cb",
      });
      const id = await store.applications.create(application);
      return { id, appKey: application.appKey };
    }

    test("the replaced secrets stay during the grace", async () => {
      const { appKey } = await add();
      const before = await store.now();
      const result = await store.applications.rotate(rotationOf(appKey));
      expect(result).toEqual({ kind: "rotated", previousValidUntil: expect.any(Number) });
      const until = result.kind === "rotated" ? result.previousValidUntil : 0;
      expect(until).toBeGreaterThanOrEqual(before + HOUR_MS);
      expect(until).toBeLessThanOrEqual((await store.now()) + HOUR_MS);
      expect(await store.applications.find(appKey)).toMatchObject({
        secretSealed: "new",
        callbackSecretSealed: "new cb",
        previous: { secretSealed: "old", callbackSecretSealed: "old cb" },
      });
    });

    test("they are gone when the grace is over, by the database's clock", async () => {
      const { appKey } = await add();
      await store.applications.rotate(rotationOf(appKey));
      await endGrace(appKey);
      expect(await find(appKey)).toMatchObject({ secretSealed: "new", previous: null });
    });

    test("without a grace they are gone at once, also those of an earlier rotation", async () => {
      const { appKey } = await add();
      await store.applications.rotate(rotationOf(appKey));
      await store.applications.rotate(rotationOf(appKey, { secretSealed: "newer", graceMs: 0 }));
      expect(await find(appKey)).toMatchObject({ secretSealed: "newer", previous: null });
    });

    test("a second rotation within the grace keeps only what it replaced itself", async () => {
      const { appKey } = await add();
      await store.applications.rotate(rotationOf(appKey));
      await store.applications.rotate(
        rotationOf(appKey, { secretSealed: "newer", callbackSecretSealed: "newer cb" }),
      );
      expect(await find(appKey)).toMatchObject({
        secretSealed: "newer",
        previous: { secretSealed: "new", callbackSecretSealed: "new cb" },
      });
    });

    test("an application from before callback secrets has none to replace", async () => {
      const application = sampleApplication({ callbackSecretSealed: null });
      await store.applications.create(application);
      await store.applications.rotate(rotationOf(application.appKey));
      expect(await find(application.appKey)).toMatchObject({
        callbackSecretSealed: "new cb",
        previous: { callbackSecretSealed: null },
      });
    });

    test("other applications keep theirs, and an unknown key is told", async () => {
      const [one, other] = [await add(), await add()];
      await store.applications.rotate(rotationOf(one.appKey));
      expect(await find(other.appKey)).toMatchObject({ secretSealed: "old", previous: null });
      expect(await store.applications.rotate(rotationOf(randomUUID()))).toEqual({
        kind: "unknown",
      });
    });

    test("the nonce of a signed one is used up, whatever the answer", async () => {
      const { id, appKey } = await add();
      const outdated = { nonce: "nonce-0001", secretSealed: "older" };
      expect(await rotateSigned(appKey, outdated)).toEqual({ kind: "outdated" });
      expect(await store.tasks.useNonce(id, "nonce-0001")).toBe(false);
      const repeated = { nonce: "nonce-0001", secretSealed: "old" };
      expect(await rotateSigned(appKey, repeated)).toEqual({ kind: "replayed" });
      expect(await find(appKey)).toMatchObject({ secretSealed: "old", previous: null });
    });

    test("of ten that were signed with the same secret one wins", async () => {
      const { appKey } = await add();
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, at) =>
          store.applications.rotate(
            rotationOf(appKey, {
              secretSealed: `new ${at}`,
              signed: { nonce: `nonce-${at}`, secretSealed: "old" },
            }),
          ),
        ),
      );
      const winner = results.findIndex(({ kind }) => kind === "rotated");
      const losers = results.filter(({ kind }) => kind === "outdated");
      expect(losers).toHaveLength(9);
      expect(await find(appKey)).toMatchObject({
        secretSealed: `new ${winner}`,
        previous: { secretSealed: "old" },
      });
    });

    test("a claim carries what is good then", async () => {
      const corner = await openCorner(store);
      const { appKey, id: applicationId } = await add();
      await store.applications.rotate(rotationOf(appKey));
      const task = { applicationId, job: corner.job };
      await corner.add(task, task);
      const [early] = (await store.tasks.turn([], claimOf(corner.job, 1))).claimed;
      expect(present(early).application).toMatchObject({
        secretSealed: "new",
        callbackSecretSealed: "new cb",
        previous: { secretSealed: "old", callbackSecretSealed: "old cb" },
        successMatch: "body",
      });
      await endGrace(appKey);
      const [late] = (await store.tasks.turn([], claimOf(corner.job, 1))).claimed;
      expect(present(late).application).toMatchObject({ secretSealed: "new", previous: null });
    });

    const find = async (appKey: string) => present(await store.applications.find(appKey));
    const endGrace = async (appKey: string) => {
      const now = await store.now();
      await database.query(
        `UPDATE applications SET previous_until = ${now} WHERE app_key = '${appKey}'`,
      );
    };
    const rotateSigned = (appKey: string, signed: Rotation["signed"] & object) =>
      store.applications.rotate(rotationOf(appKey, { signed }));
  });
}

function rotationOf(appKey: string, change: Partial<Rotation> = {}): Rotation {
  return {
    appKey,
    secretSealed: "new",
    callbackSecretSealed: "new cb",
    graceMs: HOUR_MS,
    ...change,
  };
}
