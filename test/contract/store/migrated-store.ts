// The set-up of nearly every suite of the store: one migrated database for all tests of a `describe`.
import { afterAll, beforeAll } from "bun:test";
import type { Store } from "../../../src/store/store.ts";
import type { CreateTestDatabase, TestDatabase } from "./world.ts";

export interface MigratedStore {
  readonly database: TestDatabase;
  /** The store that has migrated it. */
  readonly store: Store;
}

/** Hands the store over before the first test, and drops its database after the last one. */
export function withMigratedStore(
  createDatabase: CreateTestDatabase,
  take: (opened: MigratedStore) => void | Promise<void>,
): void {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabase();
    const store = database.open();
    await store.migrate();
    await take({ database, store });
  });
  afterAll(() => database.drop());
}
