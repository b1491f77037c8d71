// Writes one description of a table as the DDL of both databases, with a comment on every column and index.

export type SqlKind = "sqlite" | "mysql";

export interface Column {
  readonly name: string;
  readonly type: Readonly<Record<SqlKind, string>>;
  readonly comment: string;
  readonly isNullable?: true;
  readonly default?: string;
}

export interface Index {
  readonly name: string;
  readonly columns: readonly string[];
  readonly comment: string;
  readonly isUnique?: true;
  /** SQLite keeps only these rows in the index; MySQL has no such thing and keeps all. */
  readonly sqliteWhere?: string;
}

export interface Table {
  readonly name: string;
  readonly comment: string;
  readonly columns: readonly Column[];
  /** Absent: the `id` column. */
  readonly primaryKey?: readonly string[];
  /** Conditions by name, in words that both databases understand. */
  readonly checks?: Readonly<Record<string, string>>;
  readonly indexes?: readonly Index[];
  /** The column refers to the id of a row of this table, which is never deleted. */
  readonly references?: { readonly column: string; readonly table: string };
}

/** A number that is never used again, also after its row is gone. */
export function idColumn(comment: string): Column {
  const sqlite = "INTEGER PRIMARY KEY AUTOINCREMENT";
  return { name: "id", type: { sqlite, mysql: "BIGINT AUTO_INCREMENT PRIMARY KEY" }, comment };
}

/** An epoch in ms, an id or another large number. */
export function big(name: string, comment: string): Column {
  return { name, type: { sqlite: "INTEGER", mysql: "BIGINT" }, comment };
}

export function int(name: string, comment: string): Column {
  return { name, type: { sqlite: "INTEGER", mysql: "INT" }, comment };
}

/** Text of a limited number of characters, compared by its bytes. */
export function key(name: string, length: number, comment: string): Column {
  const mysql = `VARCHAR(${length}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`;
  return { name, type: { sqlite: `TEXT CHECK (length(${name}) <= ${length})`, mysql }, comment };
}

/** Text of up to 16 MiB. */
export function textColumn(name: string, comment: string): Column {
  const sqlite = `TEXT CHECK (octet_length(${name}) <= 16777215)`;
  const mysql = "MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
  return { name, type: { sqlite, mysql }, comment };
}

export function blob(name: string, comment: string): Column {
  return { name, type: { sqlite: "BLOB", mysql: "MEDIUMBLOB" }, comment };
}

export function nullableColumn(column: Column): Column {
  return { ...column, isNullable: true };
}

export function zero(column: Column): Column {
  return { ...column, default: "0" };
}

/** The statements that create the tables with their indexes. */
export function createTables(kind: SqlKind, tables: readonly Table[]): string[] {
  return tables.flatMap(kind === "mysql" ? mysqlTable : sqliteTable);
}

/** The statements that add columns; those that may not be null need a default. */
export function addColumns(kind: SqlKind, table: string, columns: readonly Column[]): string[] {
  if (kind === "mysql") {
    const added = columns.map(
      (each) => `ADD COLUMN ${column(each, kind)} ${mysqlComment(each.comment)}`,
    );
    return [`ALTER TABLE ${table}\n  ${added.join(",\n  ")}`];
  }
  // SQLite writes what follows on the same line, so a comment must have an end.
  return columns.map(
    (each) => `ALTER TABLE ${table} ADD COLUMN ${column(each, kind)} /* ${each.comment} */`,
  );
}

function mysqlComment(words: string): string {
  return `COMMENT '${words.replaceAll("'", "''")}'`;
}

function mysqlTable(table: Table): string[] {
  const columns = table.columns.map(
    (each) => `${column(each, "mysql")} ${mysqlComment(each.comment)}`,
  );
  const indexes = (table.indexes ?? []).map((index) => {
    const unique = index.isUnique === true ? "UNIQUE " : "";
    return `${unique}KEY ${index.name} (${index.columns.join(", ")}) ${mysqlComment(index.comment)}`;
  });
  const body = [...columns, ...keyAndChecks(table), ...indexes].join(",\n  ");
  const options = "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
  return [`CREATE TABLE ${table.name} (\n  ${body}\n) ${options} ${mysqlComment(table.comment)}`];
}

// SQLite keeps the text of a CREATE statement, comments included, where `.schema` shows it.
function sqliteTable(table: Table): string[] {
  const lines = [
    ...table.columns.map((each) => ({ sql: column(each, "sqlite"), comment: each.comment })),
    ...keyAndChecks(table).map((sql) => ({ sql, comment: "" })),
  ];
  const body = lines.map(({ sql, comment }, place) => {
    const comma = place === lines.length - 1 ? "" : ",";
    return `  ${sql}${comma}${comment === "" ? "" : ` -- ${comment}`}`;
  });
  const create = `CREATE TABLE ${table.name} ( -- ${table.comment}\n${body.join("\n")}\n)`;
  return [create, ...(table.indexes ?? []).map((index) => sqliteIndex(table.name, index))];
}

function sqliteIndex(table: string, index: Index): string {
  const unique = index.isUnique === true ? "UNIQUE " : "";
  const where = index.sqliteWhere === undefined ? "" : `\nWHERE ${index.sqliteWhere}`;
  const columns = index.columns.join(", ");
  return `CREATE ${unique}INDEX ${index.name} ON ${table} ( -- ${index.comment}\n  ${columns}\n)${where}`;
}

function column({ name, type, isNullable, default: initial }: Column, kind: SqlKind): string {
  const nullness = isNullable === true ? "NULL" : "NOT NULL";
  return `${name} ${type[kind]} ${nullness}${initial === undefined ? "" : ` DEFAULT ${initial}`}`;
}

function keyAndChecks({ name, primaryKey, checks, references }: Table): string[] {
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
