// Tables as MySQL's DDL.
import { type Column, columnText, type Ddl, keyAndChecks, type Table } from "../migrations/ddl.ts";

const UTF8 = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
const TYPES = {
  id: "BIGINT AUTO_INCREMENT PRIMARY KEY",
  big: "BIGINT",
  int: "INT",
  text: `MEDIUMTEXT ${UTF8}`,
  blob: "MEDIUMBLOB",
} as const;

export const mysqlDdl: Ddl = {
  createTable: (table) => {
    const body = [...table.columns.map(commented), ...keyAndChecks(table), ...indexesOf(table)];
    const options = `ENGINE=InnoDB DEFAULT ${UTF8} ${comment(table.comment)}`;
    return [`CREATE TABLE ${table.name} (\n  ${body.join(",\n  ")}\n) ${options}`];
  },
  addColumns: (table, columns) => {
    const added = columns.map((each) => `ADD COLUMN ${commented(each)}`);
    return [`ALTER TABLE ${table}\n  ${added.join(",\n  ")}`];
  },
};

function commented(column: Column): string {
  return `${columnText(column, typeOf(column))} ${comment(column.comment)}`;
}

function typeOf({ type }: Column): string {
  return typeof type === "string" ? TYPES[type] : `VARCHAR(${type.characters}) ${UTF8}`;
}

function indexesOf({ indexes = [] }: Table): string[] {
  return indexes.map((index) => {
    const unique = index.isUnique === true ? "UNIQUE " : "";
    return `${unique}KEY ${index.name} (${index.columns.join(", ")}) ${comment(index.comment)}`;
  });
}

function comment(words: string): string {
  return `COMMENT '${words.replaceAll("'", "''")}'`;
}
