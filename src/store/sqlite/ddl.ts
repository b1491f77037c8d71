// Tables as SQLite's DDL. It keeps the text of a CREATE statement, comments included, where `.schema` shows it.
import {
  type Column,
  columnText,
  type Ddl,
  type Index,
  keyAndChecks,
  type Table,
} from "../migrations/ddl.ts";

const TYPES = {
  id: "INTEGER PRIMARY KEY AUTOINCREMENT",
  big: "INTEGER",
  int: "INTEGER",
  blob: "BLOB",
} as const;

export const sqliteDdl: Ddl = {
  createTable: (table) => [
    createText(table),
    ...(table.indexes ?? []).map((index) => indexText(table.name, index)),
  ],
  // SQLite writes what follows on the same line, so a comment must have an end.
  addColumns: (table, columns) =>
    columns.map(
      (each) => `ALTER TABLE ${table} ADD COLUMN ${columnOf(each)} /* ${each.comment} */`,
    ),
};

function createText(table: Table): string {
  const lines = [
    ...table.columns.map((each) => ({ sql: columnOf(each), comment: each.comment })),
    ...keyAndChecks(table).map((sql) => ({ sql, comment: "" })),
  ];
  const body = lines.map(({ sql, comment }, place) => {
    const comma = place === lines.length - 1 ? "" : ",";
    return `  ${sql}${comma}${comment === "" ? "" : ` -- ${comment}`}`;
  });
  return `CREATE TABLE ${table.name} ( -- ${table.comment}\n${body.join("\n")}\n)`;
}

function indexText(table: string, index: Index): string {
  const unique = index.isUnique === true ? "UNIQUE " : "";
  const where = index.where === undefined ? "" : `\nWHERE ${index.where}`;
  const columns = index.columns.join(", ");
  return `CREATE ${unique}INDEX ${index.name} ON ${table} ( -- ${index.comment}\n  ${columns}\n)${where}`;
}

function columnOf(column: Column): string {
  return columnText(column, typeOf(column));
}

function typeOf({ name, type }: Column): string {
  if (type === "text") return `TEXT CHECK (octet_length(${name}) <= 16777215)`;
  if (typeof type === "string") return TYPES[type];
  return `TEXT CHECK (length(${name}) <= ${type.characters})`;
}
