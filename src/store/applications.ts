// Applications: the tenants, their keys, and the rotation of these.
import { type RawBuilder, sql } from "kysely";
import { AppError } from "../core/errors.ts";
import type { Database, Dialect, Session } from "./dialect.ts";
import { failureKind } from "./failures.ts";
import { takeNonce } from "./nonces.ts";
import { retryColumns } from "./retry-columns.ts";
import { toApplication } from "./rows.ts";
import type { ApplicationStore, NewApplication, RotateResult, Rotation } from "./store.ts";
import type { Flag } from "./tables.ts";

export function createApplications(database: Database): ApplicationStore {
  return {
    create: async (application) => {
      try {
        return await insertApplication(database, application);
      } catch (thrown) {
        if (failureKind(thrown, database.dialect) !== "duplicate") throw thrown;
        throw alreadyExists(application.appKey, thrown);
      }
    },
    find: (appKey) =>
      database.read(async ({ connection, dialect }) => {
        const row = await connection
          .selectFrom("applications")
          .selectAll()
          .select(isGraced(dialect).as("is_graced"))
          .where("app_key", "=", appKey)
          .executeTakeFirst();
        return row === undefined ? undefined : toApplication(row);
      }),
    rotate: (rotation) => database.write((session) => rotateOnce(session, rotation)),
    noteUse: (id) => database.write((session) => noteUse(session, id)),
    countInUse: (withinMs) => database.read((session) => countInUse(session, withinMs)),
  };
}

async function noteUse({ connection, dialect }: Session, id: number): Promise<void> {
  await connection
    .updateTable("applications")
    .set({ last_task_at: dialect.nowMs })
    .where("id", "=", id)
    .execute();
}

/** Reads the applications, which are few; tasks are many, and none of their indexes tells when one was created. */
async function countInUse({ connection, dialect }: Session, withinMs: number): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    select id from applications where last_task_at > ${dialect.nowMs} - ${withinMs}
    limit 2`.execute(connection);
  return rows.length;
}

/** Whether the secrets before the last rotation are still good. */
export function isGraced(dialect: Dialect): RawBuilder<Flag> {
  return sql<Flag>`coalesce(previous_until > ${dialect.nowMs}, 0)`;
}

async function insertApplication(database: Database, application: NewApplication) {
  const [id] = await database.insert({
    table: "applications",
    build: (connection) =>
      connection.insertInto("applications").values({
        app_key: application.appKey,
        name: application.name,
        secret_sealed: application.secretSealed,
        callback_secret_sealed: application.callbackSecretSealed,
        link_url: application.linkUrl,
        success_match: application.successMatch,
        ...retryColumns(application.retry),
        remark: application.remark,
        require_body_signature: application.requireBodySignature ? 1 : 0,
        created_at: database.dialect.nowMs,
      }),
    keyColumns: ["app_key"],
    keys: [[application.appKey]],
  });
  if (id === undefined) throw new Error("the database answered no id");
  return id;
}

function alreadyExists(appKey: string, cause: unknown): AppError {
  return new AppError("refused", `an application with the app_key '${appKey}' exists`, { cause });
}

/** Under a lock: of two rotations that were signed with the same secret only the first one counts. */
async function rotateOnce(session: Session, rotation: Rotation): Promise<RotateResult> {
  const { appKey, signed } = rotation;
  const row = await lockSecrets(session, appKey);
  if (row === undefined) return { kind: "unknown" };
  if (signed !== undefined) {
    if (!(await takeNonce(session, row.id, signed.nonce))) return { kind: "replayed" };
    if (signed.secretSealed !== row.secret_sealed) return { kind: "outdated" };
  }
  const isGraceless = rotation.graceMs === 0;
  const previousValidUntil = row.now + rotation.graceMs;
  await session.connection
    .updateTable("applications")
    .set({
      secret_sealed: rotation.secretSealed,
      callback_secret_sealed: rotation.callbackSecretSealed,
      previous_secret_sealed: isGraceless ? null : row.secret_sealed,
      previous_callback_secret_sealed: isGraceless ? null : row.callback_secret_sealed,
      previous_until: isGraceless ? null : previousValidUntil,
    })
    .where("id", "=", row.id)
    .execute();
  return { kind: "rotated", previousValidUntil };
}

interface LockedSecrets {
  readonly id: number;
  readonly secret_sealed: string;
  readonly callback_secret_sealed: string | null;
  readonly now: number;
}

async function lockSecrets({ connection, dialect }: Session, appKey: string) {
  const { rows } = await sql<LockedSecrets>`
    select id, secret_sealed, callback_secret_sealed, ${dialect.nowMs} as now
    from applications where app_key = ${appKey} ${dialect.forUpdate}`.execute(connection);
  return rows[0];
}
