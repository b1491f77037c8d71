// Small facts about the whole installation, each written once.
import type { Session } from "./dialect.ts";
import { failureKind } from "./failures.ts";

/** Keeps the first value ever put under `name`, and resolves to it. */
export async function putOnce(session: Session, name: string, value: string): Promise<string> {
  const { connection, dialect } = session;
  const kept = await readSetting(session, name);
  if (kept !== undefined) return kept;
  try {
    await connection.insertInto("settings").values({ name, value }).execute();
    return value;
  } catch (thrown) {
    if (failureKind(thrown, dialect) !== "duplicate") throw thrown;
    return (await readSetting(session, name)) ?? value;
  }
}

export async function readSetting({ connection }: Session, name: string) {
  const row = await connection
    .selectFrom("settings")
    .select("value")
    .where("name", "=", name)
    .executeTakeFirst();
  return row?.value;
}
