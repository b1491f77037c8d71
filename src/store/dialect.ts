// What the steps of the store need of a database: four ways to use it, and the few places where SQL differs.
import type { Compilable, Kysely, RawBuilder } from "kysely";
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

/** The differences between the two kinds of SQL. */
export interface Dialect {
  readonly kind: "sqlite" | "mysql";
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
  /** How many of `left` rows the next multi-row INSERT takes. */
  rowsPerInsert(left: number): number;
  /** Ends a SELECT whose rows the transaction changes afterwards; waits for other transactions. */
  readonly forUpdate: RawBuilder<unknown>;
  /** The same, leaving out rows that another transaction has locked. */
  readonly skipLocked: RawBuilder<unknown>;
}
