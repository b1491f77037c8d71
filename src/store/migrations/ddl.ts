// Describes tables in words that each database turns into its own DDL, with a comment on every column and index.

/** `id`: the table counts it. `text`: up to 16 MiB. `characters`: at most so many, compared by their bytes. */
export type ColumnType = "id" | "big" | "int" | "text" | "blob" | { readonly characters: number };

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly comment: string;
  readonly isNullable?: true;
  readonly default?: string;
}

export interface Index {
  readonly name: string;
  readonly columns: readonly string[];
  readonly comment: string;
  readonly isUnique?: true;
  /** The only rows that are looked for: where an index can, it keeps no others. */
  readonly where?: string;
}

export interface Table {
  readonly name: string;
  readonly comment: string;
  readonly columns: readonly Column[];
  /** Absent: the `id` column. */
  readonly primaryKey?: readonly string[];
  /** Conditions by name, in words that every database understands. */
  readonly checks?: Readonly<Record<string, string>>;
  readonly indexes?: readonly Index[];
  /** The column refers to the id of a row of this table, which is never deleted. */
  readonly references?: { readonly column: string; readonly table: string };
}

/** Writes the statements of one database. */
export interface Ddl {
  /** Creates a table with its indexes. */
  createTable(table: Table): readonly string[];
  /** Adds columns; those that may not be null need a default. */
  addColumns(table: string, columns: readonly Column[]): readonly string[];
}

/** A number that is never used again, also after its row is gone. */
export function idColumn(comment: string): Column {
  return { name: "id", type: "id", comment };
}

/** An epoch in ms, an id or another large number. */
export function big(name: string, comment: string): Column {
  return { name, type: "big", comment };
}

export function int(name: string, comment: string): Column {
  return { name, type: "int", comment };
}

/** Text of a limited number of characters, compared by its bytes. */
export function key(name: string, length: number, comment: string): Column {
  return { name, type: { characters: length }, comment };
}

/** Text of up to 16 MiB. */
export function textColumn(name: string, comment: string): Column {
  return { name, type: "text", comment };
}

export function blob(name: string, comment: string): Column {
  return { name, type: "blob", comment };
}

export function nullableColumn(column: Column): Column {
  return { ...column, isNullable: true };
}

export function zero(column: Column): Column {
  return { ...column, default: "0" };
}

/** A column as both CREATE and ALTER name it. */
export function columnText({ name, isNullable, default: initial }: Column, type: string): string {
  const nullness = isNullable === true ? "NULL" : "NOT NULL";
  return `${name} ${type} ${nullness}${initial === undefined ? "" : ` DEFAULT ${initial}`}`;
}

/** What stands in a CREATE TABLE behind the columns, in words that every database understands. */
export function keyAndChecks({ name, primaryKey, checks, references }: Table): string[] {
  const keys = primaryKey === undefined ? [] : [`PRIMARY KEY (${primaryKey.join(", ")})`];
  // Never the name of an index: TiDB has one namespace for both. (Databases from before keep names without "check".)
  const conditions = Object.entries(checks ?? {}).map(
    ([check, condition]) => `CONSTRAINT check_${name}_${check} CHECK (${condition})`,
  );
  const foreign =
    references === undefined
      ? []
      : [`FOREIGN KEY (${references.column}) REFERENCES ${references.table} (id)`];
  return [...keys, ...foreign, ...conditions];
}
