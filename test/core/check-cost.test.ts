// What a check of params costs an event loop: bounded for every kind of schema, and in proportion to the params.
import { describe, expect, test } from "bun:test";
import { createParamsChecker } from "../../src/core/check-params.ts";
import type { JobDefinition } from "../../src/core/job.ts";
import { parseJsonBody } from "../../src/http/json-body.ts";
import { describe as describeLong } from "../support/long.ts";

type Schema = NonNullable<JobDefinition["params"]>;

/** The largest content. */
const LARGEST = 262_144;

function job(params: Schema): JobDefinition {
  const fields = { aliases: [], timeoutMs: null, retry: null, sourceHash: "00", untraced: [] };
  return { name: "job", params, isolation: "warm", ...fields };
}

/** Processor time of this process: another one on the same core does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The least of several runs: what else this process does only ever adds to it. */
function costOf(work: () => unknown, runs = 3): number {
  const costs = Array.from({ length: runs }, () => {
    const before = cpuMs();
    work();
    return cpuMs() - before;
  });
  return Math.min(...costs);
}

const inA = (schema: Schema): Schema => ({ type: "object", properties: { a: schema } });
const each = (schema: Schema): Schema => inA({ type: "array", items: schema });
const list = (count: number, item: (at: number) => unknown) =>
  Array.from({ length: count }, (_, at) => item(at));
const keyed = (count: number) =>
  Object.fromEntries(list(count, (at) => [`k${at}`, 1]) as [string, unknown][]);
function nested(depth: number, leaf: unknown): unknown {
  return depth === 0 ? leaf : { n: nested(depth - 1, leaf) };
}
/** Both ways lead down, and what is at the bottom fits neither: they are tried 2 to the power of the depth times. */
const DOWN = { type: "object", properties: { n: { $ref: "#/$defs/n" } } };
const recursive = (keyword: string): Schema => ({
  $ref: "#/$defs/n",
  $defs: { n: { [keyword]: [DOWN, { ...DOWN, maxProperties: 9 }] } },
});
/** A schema, and params for it of about so many bytes. */
interface Kind {
  readonly what: string;
  readonly schema: Schema;
  params(bytes: number): unknown;
}

const text = (character: string) => (bytes: number) => ({ a: `${character.repeat(bytes)}!` });
const items = (bytesEach: number, item: (at: number) => unknown) => (bytes: number) => ({
  a: list(Math.floor(bytes / bytesEach), item),
});

// biome-ignore format: a table is read by its columns
const KINDS: readonly Kind[] = [
  { what: "nested quantifiers", schema: inA({ type: "string", pattern: "^(a+)+$" }), params: text("a") },
  { what: "alternatives that overlap", schema: inA({ type: "string", pattern: "^(a|a|aa)*$" }), params: text("a") },
  { what: "an e-mail pattern from the web", schema: inA({ type: "string", pattern: "^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$" }), params: text("a") },
  { what: "a pattern with large repetitions", schema: inA({ type: "string", pattern: "^(?:a?){400}a{400}$" }), params: text("a") },
  { what: "a pattern that cannot be checked here", schema: inA({ type: "string", pattern: "^(?=(a+)+b)" }), params: text("a") },
  { what: "a plain pattern on the largest text", schema: inA({ type: "string", pattern: "^a*a{1000}b$" }), params: text("a") },
  { what: "a record of many keys", schema: inA({ patternProperties: { "^(.*)$": { type: "number" } } }), params: (bytes) => ({ a: keyed(bytes / 10) }) },
  { what: "a pattern for each of many texts", schema: each({ type: "string", pattern: "^(a+)+$" }), params: items(6, () => "aa!") },
  { what: "unique objects", schema: inA({ type: "array", uniqueItems: true }), params: items(13, (at) => ({ a: at })) },
  { what: "unique lists of unique lists", schema: inA({ type: "array", uniqueItems: true, items: { type: "array", uniqueItems: true } }), params: items(8, (at) => [at]) },
  { what: "a choice of objects", schema: each({ enum: list(100, (at) => ({ k: { v: at } })) }), params: items(15, () => ({ k: { v: 99 } })) },
  { what: "contains", schema: inA({ type: "array", contains: { const: { a: 1 } } }), params: items(2, () => 1) },
  { what: "many right numbers", schema: each({ type: "number" }), params: items(2, () => 1) },
  { what: "many wrong numbers", schema: each({ type: "string" }), params: items(2, () => 1) },
  { what: "anyOf of many", schema: each({ anyOf: list(200, (at) => ({ const: `x${at}` })) }), params: items(2, () => 1) },
  { what: "oneOf of many", schema: each({ oneOf: list(200, (at) => ({ type: "number", minimum: at })) }), params: items(2, () => 0) },
  { what: "oneOf that refers to itself, deep", schema: recursive("oneOf"), params: (bytes) => nested(Math.floor((60 * bytes) / LARGEST), 1) },
  { what: "anyOf that refers to itself, deep", schema: recursive("anyOf"), params: (bytes) => nested(Math.floor((60 * bytes) / LARGEST), 1) },
  { what: "a name for each key", schema: inA({ propertyNames: { pattern: "^(k+)+\\d+$" } }), params: (bytes) => ({ a: keyed(bytes / 10) }) },
  { what: "patternProperties", schema: inA({ patternProperties: { "^(k+)+9$": { type: "string" } } }), params: (bytes) => ({ a: keyed(bytes / 10) }) },
  { what: "keys that are not known", schema: inA({ properties: Object.fromEntries(list(300, (at) => [`p${at}`, {}]) as [string, unknown][]), additionalProperties: false }), params: (bytes) => ({ a: keyed(bytes / 10) }) },
  { what: "a text measured again and again", schema: inA({ anyOf: list(500, () => ({ maxLength: 3 })) }), params: text("é") },
  { what: "keys that need other keys", schema: each({ dependencies: Object.fromEntries(list(2_000, (at) => [`k${at}`, ["z"]]) as [string, unknown][]) }), params: items(3, () => ({})) },
  { what: "keys counted again and again", schema: inA({ allOf: list(1_500, () => ({ maxProperties: 99_999 })) }), params: (bytes) => ({ a: keyed(bytes / 10) }) },
  { what: "keys compared again and again", schema: inA({ allOf: list(1_500, () => ({ not: { const: { x: 1 } } })) }), params: (bytes) => ({ a: keyed(bytes / 10) }) },
  { what: "many that are never right", schema: each({ anyOf: list(2_000, () => false) }), params: items(2, () => 1) },
  { what: "lists with a schema for each place", schema: each({ items: list(2_000, () => ({ type: "number" })) }), params: items(3, () => []) },
];

describeLong("a check of the largest params", () => {
  test.each(KINDS)("is bounded: $what", ({ schema, params }) => {
    const check = createParamsChecker();
    const definition = job(schema);
    const largest = params(LARGEST);
    check(definition, largest);
    // 50 ms are meant; this machine may be ten times slower.
    expect(costOf(() => check(definition, largest), 2)).toBeLessThan(500);
  });

  test.each(KINDS)("grows no faster than the params: $what", ({ schema, params }) => {
    const check = createParamsChecker();
    const definition = job(schema);
    const [small, large] = [params(LARGEST / 16), params(LARGEST / 4)];
    for (const given of [small, large]) check(definition, given);
    const smallMs = costOf(() => check(definition, small));
    const largeMs = costOf(() => check(definition, large));
    // Four times the params: what is quadratic takes sixteen times as long. A millisecond is what cannot be measured.
    const isCutOff = !check(definition, large).isWhole;
    expect(isCutOff ? 0 : largeMs).toBeLessThan(10 * (smallMs + 1));
  });
});

describe("what is told of it", () => {
  const check = createParamsChecker();

  test("catastrophic patterns answer", () => {
    const definition = job(inA({ type: "string", pattern: "^(a+)+$" }));
    expect(check(definition, { a: "a".repeat(50_000) })).toEqual({ errors: [], isWhole: true });
    expect(check(definition, { a: `${"a".repeat(50_000)}!` }).errors).toEqual([
      { field: "content.params.a", message: 'must match pattern "^(a+)+$"' },
    ]);
  });

  test("a record of 20,000 keys is checked here, as the patterns that most schemas have", () => {
    const record = job(inA({ patternProperties: { "^(.*)$": { type: "number" } } }));
    expect(check(record, { a: keyed(20_000) })).toEqual({ errors: [], isWhole: true });
    const months = job(each({ type: "string", pattern: "^\\d{4}-\\d{2}$" }));
    const many = { a: list(20_000, () => "2026-07") };
    expect(check(months, many)).toEqual({ errors: [], isWhole: true });
  });

  test("duplicates are found as ever, whatever the order of keys", () => {
    const definition = job(inA({ type: "array", uniqueItems: true }));
    expect(check(definition, { a: [{ x: 1, y: [2] }, 3, { y: [2], x: 1 }] }).errors).toEqual([
      {
        field: "content.params.a",
        message: "must NOT have duplicate items (items ## 0 and 2 are identical)",
      },
    ]);
    expect(
      check(definition, { a: [1, "1", true, null, [1], { x: 1 }, { x: "1" }] }).errors,
    ).toEqual([]);
  });

  test("a check that is too dear is left to the job worker, and refuses nothing", () => {
    const definition = job(recursive("oneOf"));
    expect(check(definition, nested(60, 1))).toEqual({ errors: [], isWhole: false });
    expect(check(definition, nested(5, 1)).errors.length).toBeGreaterThan(0);
  });

  test("the rest of a schema is checked although one pattern cannot be", () => {
    const schema = { ...inA({ type: "string", pattern: "^(?!x)" }), required: ["a", "b"] };
    const definition = job(schema);
    expect(check(definition, { a: "x", b: 1 })).toEqual({ errors: [], isWhole: false });
    expect(check(definition, { a: "x" }).errors).toEqual([
      { field: "content.params.b", message: "is required" },
    ]);
  });

  // Leaving the pattern out there would refuse what is right.
  test.each<[string, Schema, unknown]>([
    ["not", { not: { pattern: "^(?!x)" } }, "xa"],
    ["if", JSON.parse('{"if":{"pattern":"^(?!x)"},"then":{"maxLength":1}}'), "xab"],
    ["oneOf", { oneOf: [{ pattern: "^(?!x)" }, { pattern: "^x" }] }, "xa"],
    [
      "a reference below not",
      { not: { $ref: "#/$defs/p" }, $defs: { p: { pattern: "^(?!x)" } } },
      "xa",
    ],
    ["patternProperties", { patternProperties: { "^(?!x)": false } }, { x: 1 }],
    [
      "a reference below not to another property",
      {
        properties: { a: { pattern: "^(?=x)x$" }, b: {} },
        not: { properties: { b: { $ref: "#/properties/a" } }, required: ["b"] },
      },
      { a: "x", b: "y" },
    ],
    [
      "a reference below not by $id",
      {
        properties: { a: { $id: "a", pattern: "^(?=x)x$" }, b: {} },
        not: { properties: { b: { $ref: "a" } }, required: ["b"] },
      },
      { a: "x", b: "y" },
    ],
  ])("a pattern that cannot be checked refuses nothing below %s", (_what, schema, params) => {
    expect(check(job(schema), params)).toEqual({ errors: [], isWhole: false });
  });
});

describeLong("reading a body grows no faster than the body", () => {
  test.each<[string, (bytes: number) => string]>([
    ["many keys", (bytes) => JSON.stringify(keyed(bytes / 10))],
    ["one key again and again", (bytes) => `{${list(bytes / 8, () => '"k":1').join(",")}}`],
    [
      "deep lists, side by side",
      (bytes) => `{"a":[${list(bytes / 122, () => "[".repeat(60) + "]".repeat(60)).join(",")}]}`,
    ],
    ["text full of escapes", (bytes) => `{"a":"${'\\"'.repeat(bytes / 2)}"}`],
    ["what is no JSON at its very end", (bytes) => `{"a":"${"x".repeat(bytes)}"`],
  ])("%s", (_what, body) => {
    const read = (bytes: number) => {
      const encoded = new TextEncoder().encode(body(bytes));
      return () => {
        try {
          return parseJsonBody(encoded, "curl");
        } catch (refusal) {
          return refusal;
        }
      };
    };
    const [small, large] = [read(LARGEST / 2), read(LARGEST * 2)];
    small();
    large();
    expect(costOf(large)).toBeLessThan(10 * (costOf(small) + 1));
  });
});
