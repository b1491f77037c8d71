// Holds the OpenAPI document to its specification, to its own examples, and to the file that is checked in.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
import manifest from "../../package.json" with { type: "json" };
import { validatorOf } from "../support/document-schemas.ts";
import { createHarness, type Harness } from "./http-harness.ts";

interface MediaType {
  readonly schema: object;
  readonly examples?: Record<string, { readonly value: unknown }>;
  readonly example?: unknown;
}
interface Body {
  readonly $ref?: string;
  readonly description: string;
  readonly content: Record<string, MediaType>;
}
interface Operation {
  readonly operationId: string;
  readonly security: readonly Record<string, unknown>[];
  readonly requestBody?: Body;
  readonly responses: Record<string, Body>;
}
interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly securitySchemes: Record<string, unknown>;
    readonly schemas: Record<string, object>;
    readonly responses: Record<string, Body>;
  };
}

const SIGNATURE = ["app_key", "nonce", "payload", "signature", "timestamps"];
/** What else than signed tasks needs a proof. */
const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  "/application/create": ["adminToken"],
  "/api/v1/hosts": ["adminToken"],
  "/api/v1/jobs": ["adminToken", ...SIGNATURE],
  "/api/v1/applications/{app_key}/rotate": ["adminToken", ...SIGNATURE],
};

let harness: Harness;
let text: string;
let document: OpenApi;
beforeAll(async () => {
  harness = await createHarness({}, { version: manifest.version });
  text = (await harness.ask("/swagger/json")).text;
  document = JSON.parse(text) as OpenApi;
});
afterAll(() => harness.close());

describe("the document", () => {
  test("is valid OpenAPI 3.0.3", async () => {
    expect(document.openapi).toBe("3.0.3");
    const { valid, errors } = await new Validator().validate(JSON.parse(text));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  test("is the one in docs/openapi.json (bun run openapi writes it)", async () => {
    const file = new URL("../../docs/openapi.json", import.meta.url);
    expect(await readFile(file, "utf8")).toBe(text);
  });

  test("does not change when requests are served", async () => {
    await harness.createApplication();
    await harness.post("/task/create", {});
    expect((await harness.ask("/swagger/json")).text).toBe(text);
  });

  test("lists every route of the API and nothing else", () => {
    const routes = operations().map(({ method, path }) => `${method} ${path}`);
    expect(routes).toEqual([
      "post /application/create",
      "post /application/refresh-signature",
      "post /api/v1/applications/{app_key}/rotate",
      "post /task/create",
      "post /task/cancel",
      "get /task/detail",
      "post /task/detail",
      "get /task/{id}/attempts",
      "get /task/{id}/events",
      "post /task/{id}/ticket",
      "post /nsq/publish",
      "get /api/v1/jobs",
      "get /api/v1/hosts",
      "get /healthz",
      "get /readyz",
    ]);
  });

  test("knows what proves the caller of each route", () => {
    for (const { path, operation } of operations()) {
      const schemes = operation.security.flatMap((scheme) => Object.keys(scheme)).sort();
      const isSigned = path.startsWith("/task/") || path === "/nsq/publish";
      if (isSigned) expect(schemes).toEqual(SIGNATURE);
      else expect(schemes).toEqual([...(OPERATORS[path] ?? [])]);
    }
    const known = Object.keys(document.components.securitySchemes).sort();
    expect(known).toEqual(["adminToken", ...SIGNATURE]);
  });

  test("says that routes below /api/v1 fail with problem+json, and the others in the envelope", () => {
    for (const { path, operation } of operations()) {
      const failures = Object.entries(operation.responses).filter(([status]) => status !== "200");
      const types = failures.flatMap(([, body]) => Object.keys(resolve(body).content));
      const isPlain = path.startsWith("/api/v1/");
      expect([...new Set(types)]).toEqual([
        isPlain ? "application/problem+json" : "application/json",
      ]);
    }
  });

  test("names what it is about, and uses every name", () => {
    const schemas = Object.keys(document.components.schemas);
    const all = ["Task", "Attempt", "Frame", "Receipt", "Autopsy", "JobContent", "CallbackContent"];
    expect(schemas).toEqual(expect.arrayContaining([...all, "Problem"]));
    const unused = schemas.filter((name) => !text.includes(`"#/components/schemas/${name}"`));
    expect(unused).toEqual([]);
  });

  test("says of every object without named members what it may have", () => {
    const silent = objectsIn(document).filter(
      (schema) =>
        schema["type"] === "object" &&
        !("additionalProperties" in schema) &&
        Object.keys(schema["properties"] ?? {}).length === 0,
    );
    expect(silent).toEqual([]);
  });

  test("says int64 of every whole number that may pass 2^31", () => {
    const wide = objectsIn(document).filter(
      ({ type, maximum, description }) =>
        type === "integer" &&
        (Number(maximum ?? 0) >= 2 ** 31 || /epoch ms/i.test(String(description))),
    );
    expect(wide.length).toBeGreaterThan(10);
    expect(wide.filter(({ format }) => format !== "int64")).toEqual([]);
  });

  test("answers both verbs of detail with one schema", () => {
    const methods = Object.values(document.paths["/task/detail"] ?? {});
    const schemas = methods.map((it) => it.responses["200"]?.content["application/json"]?.schema);
    expect(schemas).toHaveLength(2);
    expect(schemas[0]).toEqual(schemas[1]);
    expect(JSON.stringify(schemas[0])).toContain("#/components/schemas/TaskAnswer");
  });

  test("takes bodies as JSON only", () => {
    for (const { operation } of operations()) {
      const types = Object.keys(operation.requestBody?.content ?? {});
      expect(["", "application/json"]).toContain(types.join());
    }
  });

  test("has no alternative that generators of programs drop the fields of a body for", () => {
    const dropping: unknown[] = [];
    JSON.parse(text, (key, value: unknown) => {
      const alternatives = key === "oneOf" || key === "anyOf" ? (value as readonly object[]) : [];
      dropping.push(...alternatives.filter(isRuleAlone));
      return value;
    });
    expect(dropping).toEqual([]);
  });

  test("has no two names that generators of programs make one of", () => {
    const schemas = Object.entries(document.components.schemas).flatMap(([name, schema]) => {
      const { properties = {} } = schema as { readonly properties?: Record<string, object> };
      const fields = Object.entries(properties);
      // A list called as what holds it: one variable of two types, in Python.
      const lists = fields.filter(([, field]) => "items" in field).map(([field]) => field);
      const found = [...doubles([name, ...lists]), ...doubles(fields.map(([field]) => field))];
      return found.map((double) => `${name}: ${double}`);
    });
    const parameters: string[] = [];
    JSON.parse(text, (key, value: unknown) => {
      if (key !== "parameters") return value;
      parameters.push(...doubles((value as readonly { name: string }[]).map(({ name }) => name)));
      return value;
    });
    expect([...schemas, ...parameters]).toEqual([]);
  });

  test("has examples everywhere, all true to their schemas", () => {
    const media = operations().flatMap(({ operation }) => mediaOf(operation));
    expect(media.length).toBeGreaterThan(40);
    for (const { name, media: it } of media) {
      const validate = validatorOf(it.schema, document.components, { isClosed: true });
      const examples = Object.entries(it.examples ?? { example: { value: it.example } });
      expect(examples.length).toBeGreaterThan(0);
      for (const [example, { value }] of examples) {
        validate(value);
        expect({ name, example, errors: validate.errors }).toEqual({ name, example, errors: null });
      }
    }
  });
});

/** Everything an operation takes or answers, by a name for messages. */
function mediaOf(operation: Operation): { name: string; media: MediaType }[] {
  const { requestBody, responses } = operation;
  const bodies = Object.entries({ ...responses, ...(requestBody && { body: requestBody }) });
  return bodies.map(([key, body]) => {
    const { content } = resolve(body);
    const media =
      content["application/json"] ??
      content["application/problem+json"] ??
      content["text/event-stream"];
    if (media === undefined) throw new Error(`${operation.operationId} ${key} has no JSON`);
    return { name: `${operation.operationId} ${key}`, media };
  });
}

/** Every object in it, itself included. */
function objectsIn(part: unknown): Readonly<Record<string, unknown>>[] {
  if (typeof part !== "object" || part === null) return [];
  const inside = Object.values(part).flatMap(objectsIn);
  return Array.isArray(part) ? inside : [part as Readonly<Record<string, unknown>>, ...inside];
}

function operations() {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}

function resolve(body: Body): Body {
  const name = body.$ref?.split("/").at(-1);
  if (name === undefined) return body;
  const found = document.components.responses[name];
  if (found === undefined) throw new Error(`no response ${name}`);
  return found;
}

/** Says what is required, and nothing of what it is. */
function isRuleAlone(schema: object): boolean {
  return Object.keys(schema).join() === "required";
}

/** Names that differ from an earlier one by marks and capitals alone. */
function doubles(names: readonly string[]): readonly string[] {
  const plain = names.map((name) => name.replaceAll(/[^a-z0-9]/gi, "").toLowerCase());
  return names.filter((_, at) => plain.indexOf(plain[at] ?? "") < at);
}
