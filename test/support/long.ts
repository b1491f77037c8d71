// The test functions for files that take long: `bun test` alone is the inner loop and leaves them out, `bun run test` runs them.

import * as runner from "bun:test";
import { declareSkipped } from "./skipped.ts";

const isWanted = process.env["TEST_START_SERVERS"] === "1";
const REASON = "needs time: `bun run test` gives it";

/** Skips what it is called with, however it is called: `describe.each(…)(title, …)`, `test.concurrent(title, …)`. */
const leftOut: unknown = new Proxy((title: string) => declareSkipped(title, REASON), {
  get: (_, name) => (name === "each" || name === "skipIf" ? () => leftOut : leftOut),
});
const noHook = () => undefined;

export const describe = isWanted ? runner.describe : (leftOut as typeof runner.describe);
export const test = isWanted ? runner.test : (leftOut as typeof runner.test);
export const beforeAll = isWanted ? runner.beforeAll : noHook;
export const beforeEach = isWanted ? runner.beforeEach : noHook;
export const afterAll = isWanted ? runner.afterAll : noHook;
export const afterEach = isWanted ? runner.afterEach : noHook;
