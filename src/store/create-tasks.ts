// Makes tasks durable: plain multi-row INSERTs, repeated creates told apart, guilty rows isolated.
import type { Compilable } from "kysely";
import { isSameRequest, type RequestDigests, type StoredDigests } from "../core/same-request.ts";
import type { NewTask } from "../core/task.ts";
import { batchesOf, groupsOf, inHalves } from "./batches.ts";
import type { ColumnSource, Database, Dialect, Insertion } from "./dialect.ts";
import { failureKind, isOutcomeUnknown } from "./failures.ts";
import { type InsertShape, insertText, rawInsert, type Value } from "./many-rows.ts";
import { retryColumns } from "./retry-columns.ts";
import { toDigests } from "./rows.ts";
import type { CreateResult } from "./store.ts";
import type { GivenColumn, TaskRow } from "./tables.ts";

/** What the columns of a row besides the content take in a statement, about. */
const ROW_BYTES = 512;

interface Entry {
  readonly task: NewTask;
  readonly key: string;
  readonly position: number;
}

/** What the table holds under a key now, with the digests that are stored. */
type Stored =
  | (StoredDigests & { readonly kind: "stored"; readonly id: number; readonly isNew: boolean })
  | { readonly kind: "rejected"; readonly cause: unknown };

type StoredEntry = readonly [Entry, Stored];

/** Creates each task once; results are in the order of `tasks`. */
export async function createTasks(
  database: Database,
  tasks: readonly NewTask[],
): Promise<CreateResult[]> {
  const results = new Map<number, CreateResult>();
  const entries = tasks.map((task, position): Entry => ({ task, position, key: keyOf(task) }));
  let open = entries.filter((entry) => !isPadded(entry.task.taskNo));
  for (const { position, task } of entries) {
    if (isPadded(task.taskNo)) results.set(position, { kind: "rejected", cause: padded(task) });
  }
  while (open.length > 0) {
    const groups = groupsOf(open, ({ key }) => key);
    const stored = new Map(await storeDistinct(database, groups.map(firstOf)));
    open = groups.flatMap((group) => answerGroup(group, stored.get(firstOf(group)), results));
  }
  return tasks.map((_, position) => resultAt(position, results));
}

// Text as the database gets it: a lone surrogate has no UTF-8 and becomes U+FFFD on the way.
function keyOf({ applicationId, taskNo }: NewTask): string {
  return `${applicationId} ${taskNo.toWellFormed()}`;
}

/** Databases that compare with padding would take it for another number; not every one checks it as our CHECK says. */
function isPadded(taskNo: string): boolean {
  return taskNo === "" || taskNo.startsWith(" ") || taskNo.endsWith(" ");
}

function padded({ taskNo }: NewTask): Error {
  return new Error(`the number ${JSON.stringify(taskNo)} is empty, or begins or ends with a space`);
}

function firstOf<Row>(group: readonly Row[]): Row {
  const [first] = group;
  if (first === undefined) throw new Error("a group has at least one row");
  return first;
}

/** Settles all entries of one key after the first was stored; returns those to be tried next. */
function answerGroup(
  group: readonly Entry[],
  stored: Stored | undefined,
  results: Map<number, CreateResult>,
): Entry[] {
  if (stored === undefined) throw new Error("every first entry has an outcome");
  const [first, ...repeats] = group;
  if (first === undefined) return repeats;
  if (stored.kind === "rejected") {
    results.set(first.position, stored);
    // The fault may lie in that row's content; the next one of the same key gets its own chance.
    return repeats;
  }
  const { id, isNew } = stored;
  for (const { position, task } of group) {
    const same = isSameRequest(stored, digestsOf(task));
    results.set(position, { kind: "existing", id, same });
  }
  if (isNew) results.set(first.position, { kind: "created", id });
  return [];
}

function resultAt(position: number, results: ReadonlyMap<number, CreateResult>): CreateResult {
  const result = results.get(position);
  if (result === undefined) throw new Error(`task ${position} of a batch got no result`);
  return result;
}

async function storeDistinct(
  database: Database,
  entries: readonly Entry[],
): Promise<StoredEntry[]> {
  // In the order of the unique key: batches that meet wait for each other, never in a circle.
  const sorted = entries.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const stored: StoredEntry[] = [];
  for (const batch of batchesOf(sorted, bytesOf)) {
    stored.push(...(await storeBatch(database, batch)));
  }
  return stored;
}

function bytesOf({ task }: Entry): number {
  return Buffer.byteLength(task.content) + ROW_BYTES;
}

function storeBatch(database: Database, batch: readonly Entry[]): Promise<StoredEntry[]> {
  return inHalves<Entry, StoredEntry>(batch, {
    failures: database.dialect.failures,
    all: (entries) => insertOrFind(database, entries),
    guilty: (entry, cause) => [entry, { kind: "rejected", cause }],
  });
}

async function insertOrFind(database: Database, entries: readonly Entry[]): Promise<StoredEntry[]> {
  try {
    const ids = await insertTwice(database, {
      table: "tasks",
      build: () => insertOf(database.dialect, entries),
      keyColumns: ["application_id", "task_no"],
      keys: entries.map(({ task }) => [task.applicationId, task.taskNo.toWellFormed()]),
    });
    return entries.map((entry, row) => [entry, storedAs(ids[row], digestsOf(entry.task), true)]);
  } catch (thrown) {
    if (failureKind(thrown, database.dialect) !== "duplicate") throw thrown;
    const found = await findExisting(database, entries);
    const rest = entries.filter(({ key }) => !found.has(key));
    // No other row has any of these keys: they clash among themselves, which halving resolves.
    if (rest.length === entries.length) throw thrown;
    const existing = entries.flatMap((entry) => foundAs(entry, found.get(entry.key)));
    return [...existing, ...(rest.length === 0 ? [] : await storeBatch(database, rest))];
  }
}

/** Once more when nobody knows whether it was written: the unique key lets no row be there twice. */
async function insertTwice(database: Database, insertion: Insertion): Promise<readonly number[]> {
  try {
    return await database.insert(insertion);
  } catch (thrown) {
    if (!isOutcomeUnknown(thrown, database.dialect)) throw thrown;
    return database.insert(insertion);
  }
}

function storedAs(id: number | undefined, digests: StoredDigests, isNew: boolean): Stored {
  if (id === undefined) throw new Error("the database answered fewer ids than rows");
  return { ...digests, kind: "stored", id, isNew };
}

type FoundRow = Pick<TaskRow, "id" | "digest" | "exact_digest">;

function foundAs(entry: Entry, row: FoundRow | undefined): StoredEntry[] {
  return row === undefined ? [] : [[entry, storedAs(row.id, toDigests(row), false)]];
}

function digestsOf({ digest, exactDigest = digest }: NewTask): RequestDigests {
  return { digest, exactDigest };
}

/** Rows that exist under the keys of `entries`, by key. */
async function findExisting(database: Database, entries: readonly Entry[]) {
  const byApplication = groupsOf(entries, ({ task }) => String(task.applicationId));
  const rows = await database.read(({ connection }) =>
    connection
      .selectFrom("tasks")
      .select(["id", "application_id", "task_no", "digest", "exact_digest"])
      .where((where) =>
        where.or(
          byApplication.map((group) =>
            where.and([
              where("application_id", "=", firstOf(group).task.applicationId),
              where(
                "task_no",
                "in",
                group.map(({ task }) => task.taskNo),
              ),
            ]),
          ),
        ),
      )
      .execute(),
  );
  return new Map(rows.map((row) => [`${row.application_id} ${row.task_no}`, row]));
}

/** Where each column of a new row gets its value from; the order is that of the statement. */
const SOURCES: Readonly<Record<GivenColumn<"tasks">, ColumnSource>> = {
  application_id: "value",
  task_no: "value",
  name: "value",
  lane: "value",
  job: "value",
  content: "value",
  digest: "value",
  exact_digest: "value",
  timeout_ms: "value",
  status: "value",
  run_at: "value or now",
  retry_step_s: "value",
  retry_total: "value",
  retry: "value",
  webhook_tag: "value",
  created_at: "now",
};
const COLUMNS: InsertShape["columns"] = Object.entries(SOURCES);

/** As text: built value by value it would cost more than the rest of a create. */
function insertOf(dialect: Dialect, entries: readonly Entry[]): Compilable {
  const text = insertText(dialect, { table: "tasks", columns: COLUMNS, rows: entries.length });
  const values = entries.map(({ task }) => valuesOf(task));
  const query = rawInsert(
    text,
    values.flatMap((row) => VALUE_COLUMNS.map((column) => row[column])),
  );
  return { compile: () => query };
}

type ValueColumn = Exclude<GivenColumn<"tasks">, "created_at">;
const VALUE_COLUMNS = Object.keys(SOURCES).filter(isValueColumn);

function isValueColumn(column: string): column is ValueColumn {
  return column !== "created_at";
}

function valuesOf(task: NewTask): Readonly<Record<ValueColumn, Value>> {
  const { digest, exactDigest = digest } = task;
  return {
    application_id: task.applicationId,
    task_no: task.taskNo,
    name: task.name,
    lane: task.lane,
    job: task.job,
    content: task.content,
    digest,
    exact_digest: exactDigest === digest ? "" : exactDigest,
    timeout_ms: task.timeoutMs,
    status: "pending",
    run_at: task.runAt,
    ...retryColumns(task.retry),
    webhook_tag: task.webhookTag,
  };
}
