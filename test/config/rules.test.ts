// Rules of single settings whose values are more than a number or a word.
import { describe, expect, test } from "bun:test";
import { nearDay } from "../../src/config/rules.ts";

describe("ALLOW_LEGACY_PAYLOAD", () => {
  test("is the first moment of a day in UTC", () => {
    expect(nearDay().parse("2026-02-28")).toBe(Date.UTC(2026, 1, 28));
  });

  test.each(["on", "2026-02-30", "2026-2-3", "2026-02-28T00:00:00Z", "9999-01-01", ""])(
    "is not %p",
    (text) => expect(nearDay().parse(text)).toBeUndefined(),
  );
});
