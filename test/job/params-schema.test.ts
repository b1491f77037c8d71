// What authors of jobs may give as params, and what they are told of schemas that other libraries made.
import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { type } from "arktype";
import * as typebox1 from "typebox";
import * as valibot from "valibot";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import { paramsProblem } from "../../src/job/inside/params-schema.ts";

const WAY_OUT = "use Type.Object from serendipity-job";
const foreign = (path: string, vendor: string) =>
  `${path} is a schema of ${vendor}, which the catalogue cannot store; ${WAY_OUT}`;

describe("params made with another library", () => {
  test.each([
    ["zod", z.object({ who: z.string() })],
    ["zod", z3.object({ who: z3.string() })],
    ["valibot", valibot.object({ who: valibot.string() })],
    ["arktype", type({ who: "string" })],
  ])("are refused with its name and the way out: %s", (vendor, schema) => {
    expect(paramsProblem(schema)).toBe(foreign("params", vendor));
  });

  test.each([
    ["zod", z.string()],
    ["valibot", valibot.string()],
    ["arktype", type("string")],
  ])("are refused inside another schema too, by their path: %s", (vendor, who) => {
    const schema = { type: "object", properties: { who } };
    expect(paramsProblem(schema)).toBe(foreign("params.who", vendor));
  });
});

test.each([
  ["of TypeBox", { who: Type.String() }],
  ["of TypeBox 1", { who: typebox1.Type.String() }],
  ["of zod", { who: z.string(), times: z.number() }],
])("an object of schemas %s is no schema", (_, shape) => {
  expect(paramsProblem(shape)).toContain("is an object of schemas and no schema itself");
  expect(paramsProblem(shape)).toContain(WAY_OUT);
});

test.each([
  ["a class", class Params {}],
  ["an instance", new Map()],
  ["a list", [Type.String()]],
  ["null", null],
])("%s is no schema", (_, value) => {
  expect(paramsProblem(value)).toBe(`params must be a schema; ${WAY_OUT}`);
});

describe("params that JSON Schema can say", () => {
  const { Type: Type1 } = typebox1;

  test.each([
    ["TypeBox", Type.Object({ who: Type.String(), "~codec": Type.Optional(Type.Integer()) })],
    ["TypeBox 1", Type1.Object({ who: Type1.String(), "~kind": Type1.Optional(Type1.Integer()) })],
    ["plain JSON Schema", { type: "object", properties: { who: { type: "string" } } }],
    ["JSON Schema by zod", z.toJSONSchema(z.object({ who: z.string() }))],
    ["nothing", {}],
  ])("are taken, whoever made them: %s", (_, schema) => {
    expect(paramsProblem(schema)).toBeUndefined();
  });

  test.each([
    ["Type.BigInt()", Type1.BigInt()],
    ["Type.Undefined()", Type1.Undefined()],
    ["a transform", Type1.Decode(Type1.String(), (text) => text.length)],
    ["a transform or refinement", Type1.Refine(Type1.String(), (text) => text !== "")],
  ])("are not those of TypeBox 1 with %s", (what, who) => {
    expect(paramsProblem(Type1.Object({ who }))).toContain(`params.who is ${what}`);
  });
});
