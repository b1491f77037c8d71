// What the steps of the store need of a database: four ways to use it, and the few places where SQL differs.
import type { Compilable, InsertObject, Kysely, RawBuilder } from "kysely";
import type { FailureJudge } from "./failures.ts";
import type { Ddl } from "./migrations/ddl.ts";
import type { Tables } from "./tables.ts";

/** Something statements can be built on and sent through. */
export type DatabaseConnection = Kysely<Tables>;

/** A connection inside `read` or `write`, with the SQL it speaks. */
export interface Session {
  readonly connection: DatabaseConnection;
  readonly dialect: Dialect;
}

/** A database with its session set up. Every failure that is not about the data is an AppError. */
export interface Database {
  readonly dialect: Dialect;
  /** Statements that change nothing; each sees what was committed before it. */
  read<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** One transaction. `work` is called again when the database was busy or chose it as a deadlock's victim. */
  write<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** One multi-row INSERT as a transaction of its own; resolves to the ids in the order of `keys`. */
  insert(insertion: Insertion): Promise<readonly number[]>;
  /** Lets one process at a time through, and none for ever. */
  exclusively<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Rows of a table that counts its ids. */
export interface Insertion {
  readonly table: "applications" | "tasks";
  /** The INSERT, with one row for each of `keys`. */
  readonly build: (connection: DatabaseConnection) => Compilable;
  /** The columns of a unique key, which tell the rows apart. */
  readonly keyColumns: readonly string[];
  /** What these columns hold, row by row, as the database keeps it. */
  readonly keys: readonly (readonly (string | number)[])[];
}

export type TaskIndex =
  | "tasks_due"
  | "tasks_due_by_application"
  | "tasks_leased"
  | "tasks_finished";

/** What a column of a new row gets: a value, a value or else the database's clock, or that clock. */
export type ColumnSource = "value" | "value or now" | "now";

/** The ids that a table with an `id` column gives out. */
export interface Counters {
  /** What its next row is to be counted as. */
  next(connection: DatabaseConnection, table: string): Promise<bigint>;
  setNext(connection: DatabaseConnection, table: string, next: number): Promise<void>;
  /** The statement that sets it, for an operator: the number is left open. */
  settingText(table: string): string;
}

/** What differs between databases; each is a folder that implements it. */
export interface Dialect {
  /** Whom `exclusively` shuts out: all, or only clients that are connected to the same node of a cluster. */
  readonly lockReaches: "all" | "node";
  /** The database's clock, epoch ms; the same value everywhere in one statement. */
  readonly nowMs: RawBuilder<number>;
  /** Follows the name of `tasks` where rows are named by id. See `byIndex`. */
  readonly byId: RawBuilder<unknown>;
  /**
   * Follows the name of `tasks` and says which index to walk. Left alone, both planners now and then prefer to read
   * all tasks of a status (measured: 6 ms instead of 0.1 ms with 20,000 pending).
   */
  byIndex(name: TaskIndex): RawBuilder<unknown>;
  /** Follows IN: these ids, in a statement whose text depends on them as little as the database likes. */
  idList(ids: readonly number[]): RawBuilder<unknown>;
  /** Follows VALUES: the places of so many rows. */
  rowPlaces(sources: readonly ColumnSource[], rows: number): string;
  /** How many of `left` rows the next multi-row INSERT takes. */
  rowsPerInsert(left: number): number;
  /** Ends a SELECT whose rows the transaction changes afterwards; waits for other transactions. */
  readonly forUpdate: RawBuilder<unknown>;
  /** The same, leaving out rows that another transaction has locked. */
  readonly skipLocked: RawBuilder<unknown>;
  /** Inserts rows, each in the place of those that have a key of it: what they held besides is gone. */
  replaceRows<Table extends keyof Tables>(
    connection: DatabaseConnection,
    table: Table,
    rows: readonly InsertObject<Tables, Table>[],
  ): Promise<void>;
  readonly counters: Counters;
  readonly ddl: Ddl;
  readonly failures: FailureJudge;
}
