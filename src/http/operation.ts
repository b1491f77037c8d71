// Builds a route's part of the OpenAPI 3.0.3 document from its schemas and examples.
import { type TObject, type TSchema, Type } from "@sinclair/typebox";
import { named, nameOf } from "../core/views/named.ts";
import { oneOf } from "../core/views/shapes.ts";

/** An OpenAPI operation object; TypeBox schemas in it become plain JSON when it is printed. */
export type Operation = Readonly<Record<string, unknown>>;

/** Responses by the name of their example: the whole envelope. */
export type Examples = Readonly<Record<string, unknown>>;

/** The shared error responses, by their name in `components.responses`. */
type ErrorName =
  | "Unauthorised"
  | "AdminOnly"
  | "TooLarge"
  | "Unsupported"
  | "Invalid"
  | "Unavailable";

interface OperationParts {
  readonly id: string;
  readonly tag: "applications" | "tasks" | "jobs" | "callbacks" | "health";
  readonly summary: string;
  readonly description: string;
  readonly proof: keyof typeof SECURITY;
  /** What stands in the path as `:name`. */
  readonly path?: TObject;
  readonly body?: { readonly schema: TObject; readonly examples: Examples };
  readonly query?: TObject;
  /** `data` of a success. */
  readonly data: TSchema;
  readonly examples: Examples;
  /** Only what happens on this route; what can happen everywhere is added. */
  readonly errors: readonly ErrorName[];
}

const ERROR_STATUSES: Readonly<Record<ErrorName, number>> = {
  Unauthorised: 401,
  AdminOnly: 401,
  TooLarge: 413,
  Unsupported: 415,
  Invalid: 422,
  Unavailable: 503,
};

const SIGNED = { app_key: [], nonce: [], timestamps: [], payload: [], signature: [] };
const SECURITY = {
  signature: [SIGNED],
  ticket: [SIGNED, {}],
  admin: [{ adminToken: [] }, {}],
  adminOrSignature: [{ adminToken: [] }, SIGNED, {}],
  none: [],
} as const;

/** The operation object of a route. */
export function operation(parts: OperationParts): Operation {
  const { body } = parts;
  const parameters = [...parametersOf("path", parts.path), ...parametersOf("query", parts.query)];
  return {
    operationId: parts.id,
    tags: [parts.tag],
    summary: parts.summary,
    description: parts.description,
    security: SECURITY[parts.proof],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: json(body.schema, body.examples) } }),
    responses: {
      "200": { description: "Answered.", content: json(answerOf(parts.data), parts.examples) },
      ...Object.fromEntries(parts.errors.map((name) => [ERROR_STATUSES[name], shared(name)])),
      default: shared("Failure"),
    },
  };
}

/** The errors of routes without an envelope, by their name in `components.responses` without "Problem". */
const PROBLEM_STATUSES = {
  Unauthorised: 401,
  NotFound: 404,
  TooLarge: 413,
  Unsupported: 415,
  Invalid: 422,
  Unavailable: 503,
} as const;

interface PlainParts extends Omit<OperationParts, "data" | "errors" | "query"> {
  /** What stands in the path, by name. */
  readonly path: TObject;
  /** The whole response body. */
  readonly answer: TSchema;
  readonly errors: readonly (keyof typeof PROBLEM_STATUSES)[];
}

/** The operation object of a route whose responses have no envelope, and fails with problem+json. */
export function plainOperation(parts: PlainParts): Operation {
  const { body } = parts;
  const problems = parts.errors.map((name) => [PROBLEM_STATUSES[name], shared(`${name}Problem`)]);
  return {
    operationId: parts.id,
    tags: [parts.tag],
    summary: parts.summary,
    description: parts.description,
    security: SECURITY[parts.proof],
    parameters: parametersOf("path", parts.path),
    ...(body && { requestBody: { required: true, content: json(body.schema, body.examples) } }),
    responses: {
      "200": { description: "Answered.", content: json(parts.answer, parts.examples) },
      ...Object.fromEntries(problems),
      default: shared("FailureProblem"),
    },
  };
}

/** The envelope around the data of a success. */
export function envelopeOf(data: TSchema, code: 0 | 1 = 0): TSchema {
  return Type.Object({ code: oneOf([code]), msg: Type.String(), data });
}

/** A JSON media type with named examples. */
export function json(schema: TSchema, examples: Examples) {
  const named = Object.entries(examples).map(([name, value]) => [name, { value }]);
  return { "application/json": { schema, examples: Object.fromEntries(named) as Examples } };
}

/** Data with a name gives its envelope one: operations with the same response share it. */
function answerOf(data: TSchema): TSchema {
  const refusal = { $ref: "#/components/schemas/Refusal" };
  const name = nameOf(data);
  const success = envelopeOf(data);
  return Type.Unsafe({ oneOf: [name ? named(`${name}Answer`, success) : success, refusal] });
}

function shared(name: string) {
  return { $ref: `#/components/responses/${name}` };
}

function parametersOf(place: "path" | "query", fields: TObject = Type.Object({})) {
  return Object.entries(fields.properties).map(([name, property]) => {
    // Swagger UI would send an example of every optional parameter unless the reader clears it.
    const schema = { ...property, example: undefined };
    const required = fields.required?.includes(name) ?? false;
    return { name, in: place, required, description: property.description, schema };
  });
}
