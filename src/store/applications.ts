// Applications: the tenants and their keys.
import { AppError } from "../core/errors.ts";
import type { Database } from "./dialect.ts";
import { failureKind } from "./failures.ts";
import { toApplication } from "./rows.ts";
import type { ApplicationStore, NewApplication } from "./store.ts";

export function createApplications(database: Database): ApplicationStore {
  return {
    create: async (application) => {
      try {
        return await insertApplication(database, application);
      } catch (thrown) {
        if (failureKind(thrown) !== "duplicate") throw thrown;
        throw alreadyExists(application.appKey, thrown);
      }
    },
    find: (appKey) =>
      database.read(async ({ connection }) => {
        const row = await connection
          .selectFrom("applications")
          .selectAll()
          .where("app_key", "=", appKey)
          .executeTakeFirst();
        return row === undefined ? undefined : toApplication(row);
      }),
  };
}

async function insertApplication(database: Database, application: NewApplication) {
  const [id] = await database.insert(
    (connection) =>
      connection.insertInto("applications").values({
        app_key: application.appKey,
        name: application.name,
        secret_sealed: application.secretSealed,
        link_url: application.linkUrl,
        retry_step_s: application.retry.stepS,
        retry_total: application.retry.total,
        remark: application.remark,
        require_body_signature: application.requireBodySignature ? 1 : 0,
        created_at: database.dialect.nowMs,
      }),
    1,
  );
  if (id === undefined) throw new Error("the database answered no id");
  return id;
}

function alreadyExists(appKey: string, cause: unknown): AppError {
  return new AppError("refused", `an application with the app_key '${appKey}' exists`, { cause });
}
