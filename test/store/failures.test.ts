// What the numbers of MySQL, Galera, Group Replication and TiDB mean for a caller: again soon, later, or never.
import { describe, expect, test } from "bun:test";
import { AppError, callersMessage } from "../../src/core/errors.ts";
import { asAppError, type FailureKind, isAboutRows } from "../../src/store/failures.ts";
import { mysqlFailures } from "../../src/store/mysql/failures.ts";
import { sqliteFailures } from "../../src/store/sqlite/failures.ts";

/** An answer of a server, as mysql2 throws it. */
function answerOf(errno: number, message = "", sqlState = "HY000"): unknown {
  return Object.assign(new Error(message), { errno, sqlState, code: "ER_SOMETHING" });
}

const mysql = { database: "the database", failures: mysqlFailures };
const sqlite = { database: "the database", failures: sqliteFailures };

const NUMBERS: Readonly<Partial<Record<FailureKind, readonly number[]>>> = {
  busy: [1020, 1205, 1213, 3101, 8002, 8005, 8022, 8027, 8028, 9006, 9007],
  away: [
    1040, 1053, 1180, 1290, 1317, 1637, 1792, 1836, 1927, 3032, 3100, 3168, 4031, 8252, 8501, 9001,
    9002, 9003, 9004, 9005, 9010, 9011,
  ],
  configuration: [1045, 1049, 1146],
  duplicate: [1062],
  statement: [1048, 1153, 1264, 1406, 1452, 3819, 4025, 8004],
};

describe("an error number of a server", () => {
  const rows = Object.entries(NUMBERS).flatMap(([kind, numbers]) =>
    numbers.map((errno) => [errno, kind as FailureKind] as const),
  );
  test.each(rows)("%p is %s", (errno, kind) => {
    expect(mysqlFailures.kindOf(answerOf(errno))).toBe(kind);
    expect(isAboutRows(answerOf(errno), mysql)).toBe(kind === "statement" || kind === "duplicate");
  });
});

describe("an error that only its text tells", () => {
  test.each([
    ["pessimistic lock retry limit reached", "busy"],
    ["[kv:9007]Write conflict, txnStartTS=1 [try again later]", "busy"],
    ["Information schema is changed. [try again later]", "busy"],
    ["unknown column", "statement"],
  ] as const)("'%s' is %s", (message, kind) => {
    expect(mysqlFailures.kindOf(answerOf(1105, message))).toBe(kind);
  });

  test("class 08, the connection, is away", () => {
    expect(mysqlFailures.kindOf(answerOf(1047, "", "08S01"))).toBe("away");
  });
});

describe("a database that cannot be used now", () => {
  test.each([
    [
      Object.assign(new Error("connect ECONNREFUSED 10.0.0.7:3306"), { code: "ECONNREFUSED" }),
      mysql,
    ],
    [Object.assign(new Error("getaddrinfo ENOTFOUND db.internal"), { code: "ENOTFOUND" }), mysql],
    [Object.assign(new Error("/srv/data/tasks.db: database is locked"), { errcode: 5 }), sqlite],
    [answerOf(1040, "Too many connections from db.internal"), mysql],
  ])("names itself to the operator, and nothing to callers: %p", (thrown, database) => {
    const error = asAppError(thrown, database);
    if (!(error instanceof AppError)) throw error;
    expect(error.message).toContain(thrown instanceof Error ? thrown.message : "from db.internal");
    expect(callersMessage(error)).toMatch(
      /^the database (cannot be reached|is busy); try again shortly$/,
    );
  });
});
