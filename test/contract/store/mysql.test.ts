// Everything the store promises, on MySQL or MariaDB.
import { setDefaultTimeout } from "bun:test";
import { describeWith } from "../../support/describe-with.ts";
import { TEST_LIMIT_MS } from "../../support/patience.ts";
import { acquireServices } from "../../support/services.ts";
import { everyStoreSuite } from "./every-suite.ts";
import { createMysqlTestDatabase } from "./world.ts";

setDefaultTimeout(TEST_LIMIT_MS);
const services = await acquireServices();

describeWith(services, {
  title: "store/mysql",
  needs: ["mysql"],
  suite: ({ mysql }) => everyStoreSuite(() => createMysqlTestDatabase(mysql)),
});
