// Everything the store promises, on a SQLite file.
import { describe, setDefaultTimeout } from "bun:test";
import { TEST_LIMIT_MS } from "../../support/patience.ts";
import { cancellingSuite } from "./cancelling.ts";
import { changingSuite } from "./changing.ts";
import { claimingSuite } from "./claiming.ts";
import { creatingSuite } from "./creating.ts";
import { finishingSuite } from "./finishing.ts";
import { havingSuite } from "./having.ts";
import { holdingSuite } from "./holding.ts";
import { keepingSuite } from "./keeping.ts";
import { leasingSuite } from "./leasing.ts";
import { limitingSuite } from "./limiting.ts";
import { migratingSuite } from "./migrating.ts";
import { numberingSuite } from "./numbering.ts";
import { restoringSuite } from "./restoring.ts";
import { rotatingSuite } from "./rotating.ts";
import { stormSuite } from "./storm.ts";
import { usingSuite } from "./using.ts";
import { createSqliteTestDatabase } from "./world.ts";

setDefaultTimeout(TEST_LIMIT_MS);

describe("store/sqlite", () => {
  creatingSuite(createSqliteTestDatabase);
  claimingSuite(createSqliteTestDatabase);
  finishingSuite(createSqliteTestDatabase);
  cancellingSuite(createSqliteTestDatabase);
  changingSuite(createSqliteTestDatabase);
  leasingSuite(createSqliteTestDatabase);
  holdingSuite(createSqliteTestDatabase);
  havingSuite(createSqliteTestDatabase);
  keepingSuite(createSqliteTestDatabase);
  restoringSuite(createSqliteTestDatabase);
  rotatingSuite(createSqliteTestDatabase);
  usingSuite(createSqliteTestDatabase);
  limitingSuite(createSqliteTestDatabase);
  migratingSuite(createSqliteTestDatabase);
  numberingSuite(createSqliteTestDatabase);
  stormSuite(createSqliteTestDatabase);
});
