// Reading and printing moments, against instants computed with Python's zoneinfo.
import { describe, expect, test } from "bun:test";
import {
  formatTime,
  readMoment,
  readRuntime,
  readSignatureTime,
} from "../../src/core/timestamps.ts";

// biome-ignore format: a table is read by its columns
const localTimes = [
  ["2021-07-27 17:30:30", "Asia/Shanghai",       1_627_378_230],
  ["2021-03-05 12:00:00", "UTC",                 1_614_945_600],
  ["2021-03-14 01:59:59", "America/New_York",    1_615_705_199],
  ["2021-03-14 03:00:00", "America/New_York",    1_615_705_200],
  ["2024-02-29 23:59:59", "Asia/Kathmandu",      1_709_230_499],
] as const;

describe("a local time", () => {
  test.each(localTimes)("%s in %s is %d, and prints as it was read", (text, timezone, epochS) => {
    expect(readMoment(text, timezone)).toEqual({ kind: "moment", epochMs: epochS * 1000 });
    expect(formatTime(epochS * 1000 + 999, timezone)).toBe(text);
  });

  test.each([
    ["2021-11-07 01:30:00", "America/New_York", 1_636_263_000],
    ["2021-04-04 01:45:00", "Australia/Lord_Howe", 1_617_461_100],
  ])("%s, which %s had twice, is the earlier of the two", (text, timezone, epochS) => {
    expect(readMoment(text, timezone)).toEqual({ kind: "moment", epochMs: epochS * 1000 });
  });

  test.each([
    ["2021-03-14 02:00:00", "America/New_York"],
    ["2021-03-14 02:59:59", "America/New_York"],
    ["2021-03-28 02:30:00", "Europe/Berlin"],
    ["2011-12-30 12:00:00", "Pacific/Apia"],
  ])("%s, which the clocks of %s skipped, is a problem that names the zone", (text, timezone) => {
    const message = expect.stringContaining(timezone);
    expect(readMoment(text, timezone)).toEqual({ kind: "problem", message });
  });
});

describe("a date alone", () => {
  test.each([
    ["2026-12-24", "Asia/Shanghai", "2026-12-24T00:00:00+08:00"],
    ["2026-12-24", "UTC", "2026-12-24T00:00:00Z"],
    ["2024-02-29", "America/New_York", "2024-02-29T00:00:00-05:00"],
    // The clocks went from midnight to one o'clock.
    ["2018-11-04", "America/Sao_Paulo", "2018-11-04T01:00:00-02:00"],
  ])("%s in %s is its first moment, %s", (text, timezone, instant) => {
    const epochMs = Date.parse(instant);
    expect(readMoment(text, timezone)).toEqual({ kind: "moment", epochMs });
  });

  test("that the zone skipped whole is a problem that names the zone", () => {
    const message = expect.stringContaining("Pacific/Apia");
    expect(readMoment("2011-12-30", "Pacific/Apia")).toEqual({ kind: "problem", message });
  });

  test.each(["2026-02-30", "2026-13-01", "2026-00-10"])("%s does not exist", (text) => {
    const message = "must be a date that exists";
    expect(readMoment(text, "UTC")).toEqual({ kind: "problem", message });
  });

  test("is no time of a signature", () => {
    expect(readSignatureTime("2026-12-24", "UTC")).toBeUndefined();
  });
});

describe("a moment", () => {
  // biome-ignore format: a table is read by its columns
  test.each([
    [1_627_371_056,               1_627_371_056_000],
    ["1627371056",                1_627_371_056_000],
    [1_627_371_056_123,           1_627_371_056_123],
    ["1627371056123",             1_627_371_056_123],
    [0,                           0],
    [99_999_999_999,              99_999_999_999_000],
    [100_000_000_000,             100_000_000_000],
    ["2021-07-27T15:30:56Z",      1_627_399_856_000],
    ["2021-07-27T15:30:56+08:00", 1_627_371_056_000],
    ["2021-07-27T15:30:56+0800",  1_627_371_056_000],
    ["2021-07-27 15:30:56+08:00", 1_627_371_056_000],
    ["2021-07-27T15:30+08:00",    1_627_371_000_000],
    ["2021-07-27t15:30:56.5z",    1_627_399_856_500],
  ])("%j is read in any zone", (value, epochMs) => {
    expect(readMoment(value, "Asia/Shanghai")).toEqual({ kind: "moment", epochMs });
    expect(readMoment(value, "America/New_York")).toEqual({ kind: "moment", epochMs });
  });

  test.each([
    "",
    "tomorrow",
    "2021-7-27",
    "2021-07",
    "2021-07-27T15:30:56",
    "2021-07-27 15:30",
    "2021-7-27 15:30:56",
    " 1627371056",
    "+1627371056",
    "-1",
    "1e9",
    "2021-07-27T15:30:56Z[Asia/Shanghai]",
    "20210727T153056Z",
    "+002021-07-27T15:30:56Z",
    "9".repeat(16),
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
  ])("%j is none", (value) => {
    const message = expect.stringContaining("YYYY-MM-DD HH:mm:ss");
    expect(readMoment(value, "UTC")).toEqual({ kind: "problem", message });
  });

  test.each([
    "2021-02-29 00:00:00",
    "2021-13-01 00:00:00",
    "2021-04-31 00:00:00",
    "2021-07-27 24:00:00",
    "2021-07-27 23:60:00",
    "2021-07-27 23:59:60",
    "2021-02-30T00:00:00Z",
    "2021-07-27T25:00:00Z",
  ])("%s does not exist", (value) => {
    const message = "must be a date and time that exists";
    expect(readMoment(value, "UTC")).toEqual({ kind: "problem", message });
  });
});

describe("the runtime of a task", () => {
  const clock = { nowMs: 1_627_371_056_000, timezone: "Asia/Shanghai" };
  const yearMs = 365 * 86_400_000;

  test.each([undefined, 0, 1_627_371_056, "2021-07-27 15:30:56"])("%j means now", (value) => {
    expect(readRuntime(value, clock)).toBeNull();
  });

  test.each([
    [1_627_371_057, 1_627_371_057_000],
    ["2021-07-27 15:30:57", 1_627_371_057_000],
    [clock.nowMs + 1, clock.nowMs + 1],
    [clock.nowMs + yearMs, clock.nowMs + yearMs],
  ])("%j is later", (value, runAt) => {
    expect(readRuntime(value, clock)).toBe(runAt);
  });

  test.each([clock.nowMs - yearMs, String(clock.nowMs - yearMs), 1_300_000_000])(
    "%j is past and means now",
    (value) => {
      expect(readRuntime(value, clock)).toBeNull();
    },
  );

  test.each([
    [100_000_000_000, "read as epoch milliseconds it is 1973-03-03T17:46:40.000+08:00"],
    ["162737105600", "read as epoch milliseconds it is 1975-02-27T20:45:05.600+08:00"],
    [clock.nowMs - yearMs - 1, "must not be more than a year ago"],
    [99_999_999_999, "read as epoch seconds it is 5138-11-16T17:46:39.000+08:00"],
    ["2031-01-01 00:00:00", "read as a date it is 2031-01-01T00:00:00.000+08:00"],
    [8_640_000_000_000_000, "+275760-09-13"],
    [1_627_371_056_000_000, "read as epoch milliseconds it is +053539"],
    ["1627371056000000", "numbers below 100000000000 are seconds, all others milliseconds"],
    [8_640_000_000_000_001, "epoch seconds or milliseconds"],
    [clock.nowMs + yearMs + 1, "365 days"],
    [clock.nowMs + yearMs + 1, "numbers below 100000000000 are seconds, all others milliseconds"],
    ["soon", "ISO 8601"],
    ["2021-02-30 00:00:00", "exists"],
  ])("%j is invalid, and the field is named", (value, hint) => {
    const message = expect.stringContaining(hint);
    const invalid = { code: "invalid", details: { errors: [{ field: "runtime", message }] } };
    expect(() => readRuntime(value, clock)).toThrow(expect.objectContaining(invalid));
  });
});

describe("the timestamps header", () => {
  test.each([
    ["1627371056", 1_627_371_056_000],
    ["2021-07-27 15:30:56", 1_627_371_056_000],
  ])("%s is read", (text, epochMs) => {
    expect(readSignatureTime(text, "Asia/Shanghai")).toBe(epochMs);
  });

  test.each([
    "1627371056123",
    "16273710561",
    "162737105",
    "01627371056",
    "2021-07-27T15:30:56Z",
    "2021-02-30 15:30:56",
    " 1627371056",
    "",
  ])("%j is refused: only two forms of fixed length are allowed", (text) => {
    expect(readSignatureTime(text, "Asia/Shanghai")).toBeUndefined();
  });
});
