// Everything the store promises, on MySQL or MariaDB.
import { setDefaultTimeout } from "bun:test";
import { describeWith } from "../../support/describe-with.ts";
import { TEST_LIMIT_MS } from "../../support/patience.ts";
import { acquireServices } from "../../support/services.ts";
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
import { createMysqlTestDatabase } from "./world.ts";

setDefaultTimeout(TEST_LIMIT_MS);
const services = await acquireServices();

describeWith(services, {
  title: "store/mysql",
  needs: ["mysql"],
  suite: ({ mysql }) => {
    const createDatabase = () => createMysqlTestDatabase(mysql);
    creatingSuite(createDatabase);
    claimingSuite(createDatabase);
    finishingSuite(createDatabase);
    cancellingSuite(createDatabase);
    changingSuite(createDatabase);
    leasingSuite(createDatabase);
    holdingSuite(createDatabase);
    havingSuite(createDatabase);
    keepingSuite(createDatabase);
    restoringSuite(createDatabase);
    rotatingSuite(createDatabase);
    usingSuite(createDatabase);
    limitingSuite(createDatabase);
    migratingSuite(createDatabase);
    numberingSuite(createDatabase);
    stormSuite(createDatabase);
  },
});
