// Everything the store promises, on a SQLite file.
import { describe, setDefaultTimeout } from "bun:test";
import { TEST_LIMIT_MS } from "../../support/patience.ts";
import { everyStoreSuite } from "./every-suite.ts";
import { createSqliteTestDatabase } from "./world.ts";

setDefaultTimeout(TEST_LIMIT_MS);

describe("store/sqlite", () => everyStoreSuite(createSqliteTestDatabase));
