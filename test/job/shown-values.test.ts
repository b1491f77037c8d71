// How values of a job are made fit to be shown.
import { describe, expect, test } from "bun:test";
import { secretKeys } from "../../src/core/secret-keys.ts";
import { shownValue, shownVars } from "../../src/job/wire/shown-values.ts";

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

describe("shown vars", () => {
  const keys = [
    "password",
    "userPassword",
    "SECRET",
    "my_secret",
    "token",
    "accessToken",
    "Authorization",
    "Set-Cookie",
  ];

  test.each(keys)("mask %s", (key) => {
    expect(shownVars({ [key]: "x", deep: [{ [key]: { a: 1 } }] })).toEqual({
      [key]: "[masked]",
      deep: [{ [key]: "[masked]" }],
    });
  });

  test("mask what the job says itself, as a part of a key, in any case, also in arrays", () => {
    const secret = secretKeys(["iban", "a.b", "item"]);
    const vars = { list: [[{ "old IBAN": 1, plain: 2 }]], "a.b": 1, axb: 2, token: 3 };
    expect(shownVars(vars, secret)).toEqual({
      list: [[{ "old IBAN": "[masked]", plain: 2 }]],
      "a.b": "[masked]",
      axb: 2,
      token: "[masked]",
    });
    expect(shownValue({ iban: 1 }, 100, secret)).toEqual({ iban: "[masked]" });
  });

  test("show numbers that no double keeps as their text", () => {
    const id = JSON.rawJSON("9007199254740993");
    expect(shownVars({ id, big: 9007199254740993n })).toEqual({
      id: "9007199254740993",
      big: "9007199254740993",
    });
  });

  const large = {
    text: "x".repeat(100_000),
    accents: "é".repeat(50_000),
    control: "\u0000".repeat(50_000),
    list: Array.from({ length: 50_000 }, (_, i) => ({ i })),
    keys: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i])),
  };

  test.each(Object.entries(large))("cut a value at 4 KiB, with a mark: %s", (_, value) => {
    const shown = shownVars({ value });
    expect(bytes(shown["value"])).toBeLessThanOrEqual(4_096);
    expect(JSON.stringify(shown)).toContain("cut, ");
  });

  test("are at most 64 KiB in all", () => {
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`k${i}`, "é".repeat(4_000)]),
    );
    const shown = shownVars(many);
    expect(bytes(shown)).toBeLessThanOrEqual(65_536);
    expect(bytes(shown)).toBeGreaterThan(50_000);
    expect(shown["…"]).toBe("cut: more than 64 KiB in all");
  });

  test("show what JSON cannot carry as text", () => {
    const shown = shownVars({
      big: 12n,
      fn: bytes,
      nan: Number.NaN,
      none: undefined,
      sym: Symbol("s"),
    });
    expect(shown).toEqual({
      big: "12",
      fn: "[function bytes]",
      nan: "NaN",
      none: "undefined",
      sym: "Symbol(s)",
    });
  });

  test("show maps, sets, dates, errors and bytes", () => {
    const shown = shownVars({
      map: new Map([["a", 1]]),
      set: new Set([1, 2]),
      error: new RangeError("far"),
      bytes: new Uint8Array(3),
    });
    expect(shown).toEqual({
      map: { a: 1 },
      set: [1, 2],
      error: "RangeError: far",
      bytes: "[3 bytes]",
    });
  });

  test("end cycles and survive getters that throw", () => {
    const cycle: Record<string, unknown> = { a: 1 };
    cycle["self"] = cycle;
    const trap = {
      get broken() {
        throw new Error("no");
      },
    };
    expect(JSON.stringify(shownVars({ cycle }))).toContain("too deep");
    expect(shownVars({ trap })).toEqual({ trap: { broken: "[cannot be read]" } });
  });

  test("are a value when they are no object", () => {
    expect(shownVars(5)).toEqual({ value: 5 });
  });
});

test("a shown value fits the size that is asked for", () => {
  expect(bytes(shownValue({ a: "x".repeat(5_000) }, 1_000))).toBeLessThanOrEqual(1_000);
});
