// Declares a test that cannot run here: skipped with what to do about it, or failed where nothing may be skipped.

import { test } from "bun:test";

/** @param reason `needs WHAT: what to do`; the test command lists each reason once at its end */
export function declareSkipped(title: string, reason: string): void {
  const name = title === "" ? reason : `${title} (${reason})`;
  if (process.env["REQUIRE_SERVICES"] === "1") {
    test(name, () => {
      throw new Error(`REQUIRE_SERVICES=1 forbids skipping this, which ${reason}`);
    });
    return;
  }
  // biome-ignore lint/suspicious/noSkippedTests: a machine without it skips the test by name, with the reason
  test.skip(name, () => {
    throw new Error(reason);
  });
}
