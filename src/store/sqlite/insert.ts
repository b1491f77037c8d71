// Learns the ids of a multi-row INSERT on SQLite.
import type { DatabaseConnection, Insertion } from "../dialect.ts";
import { exactly } from "../exact-numbers.ts";

/** Inside a transaction; resolves to the ids in the order of the keys. */
export async function insertInOrder(
  connection: DatabaseConnection,
  { build, keys, table }: Insertion,
): Promise<readonly number[]> {
  const { insertId } = await connection.executeQuery(build(connection).compile());
  // One writer at a time and AUTOINCREMENT: the ids of one statement have no gaps.
  const last = exactly(insertId, `the id of a new row of ${table}`);
  return keys.map((_, position) => last - keys.length + 1 + position);
}
