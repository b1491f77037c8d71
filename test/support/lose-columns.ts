// Makes a database refuse the statements of the program that uses it.
import { DatabaseSync } from "node:sqlite";

/** As far as the program's statements go: each of them is refused. */
export function loseColumns(file: string): void {
  const database = new DatabaseSync(file, { timeout: 30_000 });
  database.exec("ALTER TABLE applications RENAME COLUMN app_key TO lost");
  database.exec("ALTER TABLE executors RENAME COLUMN service_id TO lost");
  database.close();
}
