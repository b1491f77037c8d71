// The SQLite file as a database: one connection that writes, one that reads.
import type { Database } from "../dialect.ts";
import { type Patience, whileBusy } from "../retry-busy.ts";
import { createConnection } from "./connections.ts";
import { sqliteDialect } from "./dialect.ts";
import { sqliteFailures } from "./failures.ts";
import { insertInOrder } from "./insert.ts";

// SQLite's own waiting would stop the whole thread (measured: for seconds), hence no busy timeout
// and short pauses in which the event loop goes on.
const LONGEST_PAUSE_MS = 3;
const BUSY_DEADLINE_MS = 5_000;

export interface SqliteOptions {
  readonly path: string;
  /** How long to try while another process writes, before it is `unavailable`; 5 s when not given. */
  readonly deadlineMs?: number;
}

/** Opens the file at the first use; `path` and its folder are created. */
export function createSqliteDatabase({ path, deadlineMs }: SqliteOptions): Database {
  const patience: Patience = {
    database: "the SQLite database",
    failures: sqliteFailures,
    deadlineMs: deadlineMs ?? BUSY_DEADLINE_MS,
    longestPauseMs: LONGEST_PAUSE_MS,
  };
  const writing = createConnection(path, { isReader: false });
  const reading = createConnection(path, { isReader: true });
  // A reader of an empty file would find no WAL to read: the writer opens first.
  const ready = whenAsked(async () => {
    await whileBusy(patience, async () => writing.open());
    await whileBusy(patience, async () => reading.open());
  });
  const write: Database["write"] = async (work) => {
    await ready();
    return whileBusy(patience, () =>
      writing.kysely
        .transaction()
        .execute((connection) => work({ connection, dialect: sqliteDialect })),
    );
  };
  return {
    dialect: sqliteDialect,
    read: async (work) => {
      await ready();
      return whileBusy(patience, () =>
        work({ connection: reading.kysely, dialect: sqliteDialect }),
      );
    },
    write,
    insert: (insertion) => write(({ connection }) => insertInOrder(connection, insertion)),
    // The write lock excludes every other process by itself.
    exclusively: (work) => write(work),
    close: async () => {
      await Promise.all([writing.kysely.destroy(), reading.kysely.destroy()]);
      reading.close();
      writing.close();
    },
  };
}

/** Calls `work` once, at the first call; a failure is told to that caller and forgotten. */
function whenAsked(work: () => Promise<void>): () => Promise<void> {
  let under: Promise<void> | undefined;
  return () => {
    under ??= work().catch((thrown) => {
      under = undefined;
      throw thrown;
    });
    return under;
  };
}
