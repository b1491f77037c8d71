// Everything the store promises, for any database: the list of its suites.
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
import type { CreateTestDatabase } from "./world.ts";

const SUITES = [
  ...[creatingSuite, claimingSuite, finishingSuite, cancellingSuite, changingSuite, leasingSuite],
  ...[holdingSuite, havingSuite, keepingSuite, restoringSuite, rotatingSuite, usingSuite],
  ...[limitingSuite, migratingSuite, numberingSuite, stormSuite],
];

/** Inside a `describe`; each suite creates databases of its own. */
export function everyStoreSuite(createDatabase: CreateTestDatabase): void {
  for (const suite of SUITES) suite(createDatabase);
}
