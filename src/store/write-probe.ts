// Remembers that a write failed, and finds out with a cheap one whether writes succeed again.
import type { Database } from "./dialect.ts";
import { orUnavailable } from "./retry-busy.ts";

export interface WriteProbe {
  /** The same database, whose failed writes are noticed. */
  readonly database: Database;
  /** Resolves at once while no write has failed; after one, when a write succeeds. Rejects as writes do. */
  checkWrites(): Promise<void>;
}

const PROBE_TIMEOUT_MS = 2_000;
/** More than fits where a row is changed in place: creates need new pages too. */
const PROBE_TEXT = "x".repeat(16 * 1024);

export function withWriteProbe(database: Database): WriteProbe {
  let hasFailed = false;

  const noticing = async <T>(write: Promise<T>): Promise<T> => {
    try {
      const result = await write;
      hasFailed = false;
      return result;
    } catch (thrown) {
      // A refused row says nothing about the next one.
      hasFailed ||= isUnavailable(thrown);
      throw thrown;
    }
  };
  const noticed: Database = {
    ...database,
    write: (work) => noticing(database.write(work)),
    insert: (insertion) => noticing(database.insert(insertion)),
  };

  return {
    database: noticed,
    checkWrites: async () => {
      if (hasFailed) await orUnavailable(PROBE_TIMEOUT_MS, "a write", noticing(probe(database)));
    },
  };
}

/** Leaves nothing behind. */
function probe(database: Database): Promise<unknown> {
  const name = "write_probe";
  return database.write(async ({ connection, dialect }) => {
    await dialect.replaceRows(connection, "settings", [{ name, value: PROBE_TEXT }]);
    await connection.deleteFrom("settings").where("name", "=", name).execute();
  });
}

function isUnavailable(thrown: unknown): boolean {
  return (thrown as { readonly code?: unknown } | null)?.code === "unavailable";
}
