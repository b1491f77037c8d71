// Tells apart the servers that speak MySQL's protocol: which are too old, and in what the others differ.
import { AppError } from "../../core/errors.ts";

/**
 * How the ids of a multi-row INSERT are learned. `returned`: by RETURNING. `counted`: from the first id and the step of
 * the session. `read_back`: by a unique key, where the step of an open session may change or nothing is promised.
 */
export type IdsOfInsert = "returned" | "counted" | "read_back";

export interface MysqlServer {
  readonly kind: "mysql" | "mariadb" | "tidb";
  readonly version: string;
  readonly idsOfInsert: IdsOfInsert;
  /** SKIP LOCKED leaves locked rows out. Where it is only taken for a word, nothing at all would be locked. */
  readonly skipsLocked: boolean;
  /** False: CHECK constraints are read and forgotten. */
  readonly checks: boolean;
  /** True on a node of a cluster, where GET_LOCK shuts out nobody on the other nodes. */
  readonly isOneOfMany: boolean;
  /** Settings under which a commit may be gone after the machine lost its power; empty: it is there. */
  readonly weakSettings: readonly string[];
}

/** Asks for what `toMysqlServer` reads. Every server has `version`; what it does not have is missing. */
export const SERVER_QUESTION = `SHOW SESSION VARIABLES WHERE Variable_name IN
     ('version', 'wsrep_on', 'group_replication_group_name', 'auto_increment_increment',
      'tidb_enable_check_constraint', 'innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog')`;

/** Judges a server by its variables; throws `configuration` when it is too old. */
export function toMysqlServer(variables: ReadonlyMap<string, string>): MysqlServer {
  const version = variables.get("version") ?? "";
  const wsrep = variables.get("wsrep_on");
  const kind = kindOf(version);
  refuseOld(kind, version);
  return {
    kind,
    version,
    idsOfInsert: idsOf(kind, wsrep),
    skipsLocked: kind !== "tidb",
    checks: kind !== "tidb" || variables.get("tidb_enable_check_constraint") === "ON",
    isOneOfMany: wsrep === "ON" || Boolean(variables.get("group_replication_group_name")),
    weakSettings: kind === "tidb" ? [] : weakSettings(variables),
  };
}

/** With a binary log what is in it decides, after a crash, which commits there were. */
function weakSettings(variables: ReadonlyMap<string, string>): string[] {
  const [flush, synced] = ["innodb_flush_log_at_trx_commit", "sync_binlog"] as const;
  const meant = variables.get("log_bin") === "ON" ? [flush, synced] : [flush];
  return meant
    .filter((name) => (variables.get(name) ?? "1") !== "1")
    .map((name) => `${name}=${variables.get(name)}`);
}

function kindOf(version: string): MysqlServer["kind"] {
  if (/tidb/i.test(version)) return "tidb";
  return /mariadb/i.test(version) ? "mariadb" : "mysql";
}

function idsOf(kind: MysqlServer["kind"], wsrep: string | undefined): IdsOfInsert {
  if (kind === "mariadb") return "returned";
  // MySQL with Galera's replication has the variable, switched on or not.
  return kind === "mysql" && wsrep === undefined ? "counted" : "read_back";
}

/** Before these versions there is no SKIP LOCKED; TiDB calls itself MySQL 8.0 since its 7.4. */
function refuseOld(kind: MysqlServer["kind"], version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNew = kind === "mariadb" ? major > 10 || (major === 10 && minor >= 6) : major >= 8;
  if (isNew) return;
  const message = `the database server is ${version}; MySQL 8.0 or MariaDB 10.6 is the oldest that works`;
  throw new AppError("configuration", message);
}
