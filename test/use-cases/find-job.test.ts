// What a create is told about its job: the nearest names, and every param that is wrong.
import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { checkWhole, createParamsChecker } from "../../src/core/check-params.ts";
import type { JobDefinition } from "../../src/core/job.ts";
import { nearestNames } from "../../src/core/nearest-names.ts";

function definition(schema: unknown, sourceHash = "00"): JobDefinition {
  return {
    name: "job",
    aliases: [],
    params: JSON.parse(JSON.stringify(schema)) as JobDefinition["params"],
    timeoutMs: null,
    retry: null,
    isolation: "warm",
    sourceHash,
    untraced: [],
  };
}

describe("nearest names", () => {
  const names = ["send-email", "send-sms", "Countdown", "\\Serendipity\\Job\\Job\\SimpleJob"];

  test.each([
    ["send-mail", ["send-email"]],
    ["SEND-EMAIL", ["send-email"]],
    ["countdwon", ["Countdown"]],
    ["SimpleJob", ["\\Serendipity\\Job\\Job\\SimpleJob"]],
    ["App.Jobs.Countdown", ["Countdown"]],
    ["send-sm", ["send-sms"]],
    ["something else", []],
  ])("%s was probably meant as %j", (text, likely) => {
    expect(nearestNames(text, names).likely).toEqual(likely);
  });

  test("there are at most three, the nearest first, and none of none", () => {
    expect(nearestNames("send", names).nearest).toHaveLength(3);
    expect(nearestNames("countdown", names).nearest[0]).toBe("Countdown");
    expect(nearestNames("x", [])).toEqual({ nearest: [], likely: [] });
  });
});

describe("checking params", () => {
  const checkParams = createParamsChecker();
  const check = (...given: Parameters<typeof checkParams>) => checkParams(...given).errors;
  const schema = Type.Object(
    {
      to: Type.String({ minLength: 3 }),
      count: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
      kind: Type.Optional(Type.Union([Type.Literal("a"), Type.Literal("b")])),
      items: Type.Optional(Type.Array(Type.Object({ "a/b~c": Type.Number() }))),
    },
    { additionalProperties: false },
  );

  test("reads PHP's [] as {} only where the schema wants an object, and leaves what was sent", () => {
    const objects = { type: "object", additionalProperties: { type: "object" } };
    const wanted = Type.Object({
      named: Type.Unsafe(objects),
      listed: Type.Array(Type.Unsafe({ type: "object" })),
      list: Type.Array(Type.Null()),
    });
    const text = '{"named":{"__proto__":[],"b":[]},"listed":[[],[1]],"list":[]}';
    const sent: unknown = JSON.parse(text);
    const { errors, meant } = checkParams(definition(wanted), sent, "_params");
    expect(JSON.stringify(meant)).toBe(
      '{"named":{"__proto__":{},"b":{}},"listed":[{},[1]],"list":[]}',
    );
    expect(errors).toEqual([{ field: "content._params.listed.1", message: "must be object" }]);
    expect(JSON.stringify(sent)).toBe(text);
  });

  test.each([{ to: "abc" }, { to: "abc", count: 9, kind: "b", items: [{ "a/b~c": 1.5 }] }])(
    "%j is right",
    (params) => {
      expect(check(definition(schema), params)).toEqual([]);
    },
  );

  test("names every wrong param at once", () => {
    const params = { count: 0, items: [{ "a/b~c": 1 }, { "a/b~c": "1" }, {}], other: 1 };
    expect(check(definition(schema), params).toSorted(byField)).toEqual([
      { field: "content.params.count", message: "must be >= 1" },
      { field: "content.params.items.1.a/b~c", message: "must be number" },
      { field: "content.params.items.2.a/b~c", message: "is required" },
      { field: "content.params.other", message: "is not known" },
      { field: "content.params.to", message: "is required" },
    ]);
  });

  test("says what a choice may be", () => {
    const errors = check(definition(schema), { to: "abc", kind: "c" });
    expect(errors).toContainEqual({ field: "content.params.kind", message: 'must be "a"' });
    expect(errors).toContainEqual({ field: "content.params.kind", message: 'must be "b"' });
    const listed = definition({ enum: ["x", "y"] });
    expect(check(listed, "z")).toEqual([
      { field: "content.params", message: 'must be one of ["x","y"]' },
    ]);
  });

  test("does not coerce, and does not change the params", () => {
    const params = Object.freeze({ to: "abc", count: "3" });
    expect(check(definition(schema), params)).toEqual([
      { field: "content.params.count", message: "must be integer" },
    ]);
  });

  test("a job without a schema takes anything", () => {
    expect(check({ ...definition({}), params: null }, [1, null])).toEqual([]);
  });

  test("two versions of a schema are told apart even when the job file is the same", () => {
    expect(check(definition(Type.Object({ a: Type.Number() }), "aa"), { a: 1 })).toEqual([]);
    expect(check(definition(Type.Object({ a: Type.String() }), "aa"), { a: 1 })).toHaveLength(1);
  });

  test("schemas that refer to themselves or share an id are fine", () => {
    const tree = Type.Recursive((self) => Type.Object({ nodes: Type.Array(self) }), { $id: "T" });
    const other = Type.Object({ n: Type.Number() }, { $id: "T" });
    expect(check(definition(tree), { nodes: [{ nodes: [] }] })).toEqual([]);
    expect(check(definition(tree), { nodes: [{ nodes: [1] }] })).toHaveLength(1);
    expect(check(definition(other), { n: 1 })).toEqual([]);
  });

  test.each<[string, string, NonNullable<JobDefinition["params"]>]>([
    ["its root", "a schema with $async cannot", { $async: true, required: ["a"] }],
    ["a part", "async schema", { properties: { b: { $async: true, type: "string" } } }],
    [
      "a definition",
      "async schema",
      { $ref: "#/$defs/a", $defs: { a: { $async: true, required: ["a"] } } },
    ],
  ])(
    "a schema with $async in %s refuses the task, also in the job worker",
    (_what, said, schema) => {
      const message = expect.stringContaining(said);
      const refused = { code: "refused", message };
      expect(() => check(definition(schema), {})).toThrow(expect.objectContaining(refused));
      expect(() => checkWhole(schema, {})).toThrow(expect.objectContaining({ message }));
    },
  );

  test("a schema that is none refuses the task and names the job", () => {
    const broken = definition({ type: "no such type" });
    const refused = { code: "refused", message: expect.stringContaining("'job'") };
    expect(() => check(broken, {})).toThrow(expect.objectContaining(refused));
  });

  test("a flood of errors is cut", () => {
    const many = definition(Type.Array(Type.Number()));
    expect(check(many, Array(10_000).fill("x"))).toHaveLength(50);
  });
});

function byField(a: { field: string }, b: { field: string }): number {
  return a.field < b.field ? -1 : 1;
}
