// What is made of the servers that speak MySQL's protocol, by the variables they show.
import { describe, expect, test } from "bun:test";
import { toMysqlServer } from "../../src/store/mysql/server.ts";

const serverOf = (variables: Readonly<Record<string, string>>) =>
  toMysqlServer(new Map(Object.entries(variables)));

describe("a server that speaks MySQL's protocol", () => {
  test.each([
    [{ version: "8.0.43" }, "mysql", { idsOfInsert: "counted", isOneOfMany: false }],
    [{ version: "9.4.0" }, "mysql", { idsOfInsert: "counted", isOneOfMany: false }],
    [
      { version: "8.4.6", group_replication_group_name: "" },
      "mysql",
      { idsOfInsert: "counted", isOneOfMany: false },
    ],
    [
      { version: "8.4.6", group_replication_group_name: "aadaaaaa-adda-adda-aaaa-aaaaaaddaaaa" },
      "mysql",
      { idsOfInsert: "counted", isOneOfMany: true },
    ],
    // Percona XtraDB Cluster: the variable is there, switched on or not.
    [
      { version: "8.0.42-33.1", wsrep_on: "ON" },
      "mysql",
      { idsOfInsert: "read_back", isOneOfMany: true },
    ],
    [
      { version: "8.0.42-33.1", wsrep_on: "OFF" },
      "mysql",
      { idsOfInsert: "read_back", isOneOfMany: false },
    ],
    [
      { version: "10.11.14-MariaDB-0+deb12u2", wsrep_on: "OFF" },
      "mariadb",
      { idsOfInsert: "returned", isOneOfMany: false },
    ],
    [
      { version: "11.4.5-MariaDB-log", wsrep_on: "ON" },
      "mariadb",
      { idsOfInsert: "returned", isOneOfMany: true },
    ],
    [{ version: "10.6.0-MariaDB" }, "mariadb", { idsOfInsert: "returned", isOneOfMany: false }],
    [{ version: "8.0.11-TiDB-v8.5.0" }, "tidb", { idsOfInsert: "read_back", isOneOfMany: false }],
  ] as const)("%p is %s: %p", (variables, kind, rest) => {
    expect(serverOf(variables)).toMatchObject({ kind, ...rest });
  });

  test("TiDB waits for locked rows and checks constraints only when told to", () => {
    const version = "8.0.11-TiDB-v8.5.0";
    expect(serverOf({ version })).toMatchObject({ skipsLocked: false, checks: false });
    const told = { version, tidb_enable_check_constraint: "ON" };
    expect(serverOf(told)).toMatchObject({ skipsLocked: false, checks: true });
    for (const other of ["8.0.43", "11.4.5-MariaDB"]) {
      expect(serverOf({ version: other })).toMatchObject({ skipsLocked: true, checks: true });
    }
  });

  test("settings that answer a commit before it is on disk are named", () => {
    const version = "11.4.5-MariaDB";
    const weak = { innodb_flush_log_at_trx_commit: "2", sync_binlog: "0" };
    expect(serverOf({ version, ...weak, log_bin: "ON" }).weakSettings).toEqual([
      "innodb_flush_log_at_trx_commit=2",
      "sync_binlog=0",
    ]);
    expect(serverOf({ version, ...weak, log_bin: "OFF" }).weakSettings).toEqual([
      "innodb_flush_log_at_trx_commit=2",
    ]);
    const safe = { innodb_flush_log_at_trx_commit: "1", sync_binlog: "1", log_bin: "ON" };
    expect(serverOf({ version, ...safe }).weakSettings).toEqual([]);
  });

  test.each(["5.7.44", "10.5.29-MariaDB", "5.7.25-TiDB-v7.1.0", ""])(
    "%p is too old and refused by name",
    (version) => {
      expect(() => serverOf({ version })).toThrow(
        `the database server is ${version}; MySQL 8.0 or MariaDB 10.6 is the oldest that works`,
      );
    },
  );
});
