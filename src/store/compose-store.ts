// Puts the steps together into the port; the same for every database.
import { sql } from "kysely";
import { createApplications } from "./applications.ts";
import type { AttemptStore } from "./attempt-store.ts";
import { createCatalogue } from "./catalogue.ts";
import { createChanges } from "./changes.ts";
import { createCheckpoints } from "./checkpoints.ts";
import { createTasks } from "./create-tasks.ts";
import type { Database, Session } from "./dialect.ts";
import { refuseLargeIds } from "./exact-numbers.ts";
import { createExecutors } from "./executors.ts";
import { findTask, readAttempts, readOutcomes, readWaiting } from "./find-task.ts";
import { createLeases } from "./leases.ts";
import { liftCounters } from "./lift-counters.ts";
import { checkSchema, migrate } from "./migrations/migrate.ts";
import { pruneTasks } from "./retention.ts";
import { orUnavailable } from "./retry-busy.ts";
import { putOnce } from "./settings.ts";
import type { Store, TaskStore } from "./store.ts";
import { unpackTrace } from "./trace-text.ts";
import { createTurns } from "./turn.ts";
import { withWriteProbe } from "./write-probe.ts";

const PING_TIMEOUT_MS = 2_000;

export function composeStore(bare: Database): Store {
  const { database, checkWrites } = withWriteProbe(bare);
  const now = () => database.read(readNow);
  let closing: Promise<void> | undefined;
  return {
    applications: createApplications(database),
    tasks: createTaskStore(database),
    attempts: createAttempts(database),
    catalogue: createCatalogue(database),
    executors: createExecutors(database),
    migrate: async () => {
      await migrate(database);
      await database.read(refuseLargeIds);
    },
    checkSchema: async () => {
      await checkSchema(database);
      await database.read(refuseLargeIds);
    },
    liftCounters: (margin, isAlone = false) =>
      database.exclusively((session) => liftCounters(session, { margin, isAlone })),
    ping: async () => {
      await orUnavailable(PING_TIMEOUT_MS, "the database's answer", now());
    },
    checkWrites,
    now,
    putOnce: (key, value) => database.write((session) => putOnce(session, key, value)),
    close: () => {
      closing ??= database.close();
      return closing;
    },
  };
}

function createTaskStore(database: Database): TaskStore {
  return {
    ...createTurns(database),
    ...createLeases(database),
    ...createChanges(database),
    create: (tasks) => createTasks(database, tasks),
    find: (reference) => database.read((session) => findTask(session, reference)),
    waitingFor: (jobs, limit) => database.read((session) => readWaiting(session, jobs, limit)),
    prune: (limits) => database.write((session) => pruneTasks(session, limits)),
  };
}

function createAttempts(database: Database): AttemptStore {
  return {
    ...createCheckpoints(database),
    list: (taskId, limit) =>
      database.read(async (session) => (await readAttempts(session, taskId, limit)).reverse()),
    outcomes: (attemptIds) => database.read((session) => readOutcomes(session, attemptIds)),
    trace: (attemptId) =>
      database.read(async ({ connection }) => {
        const row = await connection
          .selectFrom("attempt_ends")
          .select("trace")
          .where("attempt_id", "=", attemptId)
          .executeTakeFirst();
        return row?.trace == null ? null : unpackTrace(row.trace);
      }),
  };
}

async function readNow({ connection, dialect }: Session): Promise<number> {
  const { rows } = await sql<{ now: number }>`select ${dialect.nowMs} as now`.execute(connection);
  const [row] = rows;
  if (row === undefined) throw new Error("the database told no time");
  return row.now;
}
