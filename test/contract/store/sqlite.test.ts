// Everything the store promises, on a SQLite file.
import { describe } from "bun:test";
import { changingSuite } from "./changing.ts";
import { claimingSuite } from "./claiming.ts";
import { creatingSuite } from "./creating.ts";
import { finishingSuite } from "./finishing.ts";
import { holdingSuite } from "./holding.ts";
import { keepingSuite } from "./keeping.ts";
import { leasingSuite } from "./leasing.ts";
import { limitingSuite } from "./limiting.ts";
import { rotatingSuite } from "./rotating.ts";
import { createSqliteTestDatabase } from "./world.ts";

describe("store/sqlite", () => {
  creatingSuite(createSqliteTestDatabase);
  claimingSuite(createSqliteTestDatabase);
  finishingSuite(createSqliteTestDatabase);
  changingSuite(createSqliteTestDatabase);
  leasingSuite(createSqliteTestDatabase);
  holdingSuite(createSqliteTestDatabase);
  keepingSuite(createSqliteTestDatabase);
  rotatingSuite(createSqliteTestDatabase);
  limitingSuite(createSqliteTestDatabase);
});
