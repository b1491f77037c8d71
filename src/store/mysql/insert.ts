// Sends a multi-row INSERT past Kysely and learns the id of every row in the way its server can be relied on.
import type { ResultSetHeader } from "mysql2";
import type { Insertion } from "../dialect.ts";
import { exactly } from "../exact-numbers.ts";
import type { IdsOfInsert, MysqlServer } from "./server.ts";

/** A connection without Kysely, which throws the rows of RETURNING away. */
export interface RawConnection {
  readonly server: MysqlServer;
  /** auto_increment_increment when the connection was opened. */
  readonly step: number;
  /** Rows are arrays. */
  send<Result>(sql: string, values: readonly unknown[]): Promise<Result>;
}

export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

type Rows = Pick<Insertion, "table" | "keyColumns" | "keys">;
type Insert = (
  connection: RawConnection,
  statement: Statement,
  rows: Rows,
) => Promise<readonly number[]>;

/** Resolves to the ids in the order of `rows.keys`. */
export function insertRows(connection: RawConnection, statement: Statement, rows: Rows) {
  // The id of a single row is told by every server, and exactly.
  const way = rows.keys.length === 1 ? "counted" : connection.server.idsOfInsert;
  return waysToInsert[way](connection, statement, rows);
}

export const waysToInsert: Readonly<Record<IdsOfInsert, Insert>> = {
  returned: async (connection, { sql, values }, rows) => {
    const returning = `${sql} returning id, ${rows.keyColumns.join(", ")}`;
    const found = await connection.send<FoundRow[]>(returning, values);
    // A Galera node that repeats the statement by itself returns the rows of the try that it undid, too.
    if (found.length !== rows.keys.length) return readBack(connection, rows);
    return idsByKey(found, rows);
  },
  counted: async (connection, { sql, values }, { table, keys }) => {
    const { insertId } = await connection.send<ResultSetHeader>(sql, values);
    const first = exactly(insertId, `the id of a new row of ${table}`);
    return keys.map((_, row) =>
      exactly(first + row * connection.step, `the id of a new row of ${table}`),
    );
  },
  read_back: async (connection, { sql, values }, rows) => {
    await connection.send(sql, values);
    return readBack(connection, rows);
  },
};

async function readBack(connection: RawConnection, rows: Rows): Promise<readonly number[]> {
  const columns = rows.keyColumns.join(", ");
  // FOR UPDATE: a proxy that sends reads to replicas asks the server that has the rows.
  const select = `select id, ${columns} from ${rows.table} where (${columns}) in (?) for update`;
  return idsByKey(await connection.send<FoundRow[]>(select, [rows.keys]), rows);
}

/** The id and the key of a row. */
type FoundRow = readonly [id: unknown, ...key: unknown[]];

function idsByKey(found: readonly FoundRow[], { table, keys }: Rows): number[] {
  const what = `the id of a new row of ${table}`;
  // In practice the rows come in the order of the INSERT, but nothing promises it.
  const isInOrder = found.length === keys.length && keys.every((key, row) => is(found[row], key));
  if (isInOrder) return found.map(([id]) => exactly(id, what));
  return keys.map((key) => {
    const row = found.find((each) => is(each, key));
    if (row === undefined) throw new Error(`the database told no id for a new row of ${table}`);
    return exactly(row[0], what);
  });
}

function is(row: FoundRow | undefined, key: readonly unknown[]): boolean {
  return key.every((value, column) => row?.[column + 1] === value);
}
