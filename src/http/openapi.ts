// The OpenAPI document: @elysiajs/swagger writes it from the routes, this file says what is true of all of them.
import { type ElysiaSwaggerConfig, swagger } from "@elysiajs/swagger";
import { type TSchema, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { anyObject } from "../core/views/shapes.ts";
import { gatherSchemas } from "./named-schemas.ts";
import { PROBLEMS } from "./openapi-problems.ts";
import { type Examples, envelopeOf, json } from "./operation.ts";
import { problemSchema } from "./problem.ts";
import type { Route } from "./route.ts";

type Documentation = NonNullable<ElysiaSwaggerConfig["documentation"]>;

const DESCRIPTION = `A self-hosted task platform. Every answer is \`{code, msg, data}\`; code 0 is success. Only below \`/api/v1\` answers come without this envelope, and failures as \`application/problem+json\` (RFC 9457).

- Business failures answer HTTP 200 with code 1; everything else that fails has code 1 too, with its HTTP status.
- Bodies are JSON in UTF-8. Unknown fields are ignored. Malformed input is 422 and names every wrong field in \`data.errors\`.
- Signed calls carry \`app_key nonce timestamps payload signature\` (\`app-key\` is accepted as well). \`signature = base64(hex(HMAC-SHA256(secret, timestamps + nonce + payload)))\`. A **body-bound** payload is the hex SHA-256 of \`METHOD SP target LF body\`. The **ready-made** headers that create and refresh-signature return are a bearer token: whoever has them can call until they expire.
- Unknown paths answer 404, wrong methods 405 with \`Allow\`. \`X-Request-Id\` is taken from the request (1 to 64 visible ASCII characters) or made, and returned.`;

const SIGNATURE_HEADERS = {
  app_key: "The application's key.",
  nonce: "Random text of 8 to 64 visible ASCII characters.",
  timestamps: "Now: epoch seconds, or YYYY-MM-DD HH:mm:ss in APP_TIMEZONE.",
  payload: "Hex SHA-256 of METHOD SP target LF body (body-bound), or the ready-made payload.",
  signature: "base64 of the lowercase hex of HMAC-SHA256(secret, timestamps + nonce + payload).",
};

/** The document as text. Asking for it does not touch the routes that serve. */
export async function openApiText(routes: readonly Route[], version: string): Promise<string> {
  const info = { title: "Serendipity Job", description: DESCRIPTION, version };
  const gathered = gatherSchemas();
  const operations = routes.map(({ operation }) => operation && gathered.take(operation));
  const components = { ...COMPONENTS, schemas: { ...COMPONENTS.schemas, ...gathered.schemas() } };
  const documentation = { info, servers: [{ url: "/" }], tags: TAGS, components };
  // Its own page would load scripts from elsewhere, so only the document is taken, from an app that never serves.
  const app = new Elysia().use(
    swagger({ path: "/swagger", documentation: documentation as Documentation }),
  );
  for (const [index, { method, path }] of routes.entries()) {
    const detail = operations[index];
    if (detail) app.route(method, path, () => "", { detail });
  }
  const response = await app.handle(new Request("http://localhost/swagger/json"));
  return `${JSON.stringify(await response.json(), null, 2)}\n`;
}

const TAGS = [
  { name: "applications", description: "Tenants: their keys and secrets." },
  { name: "tasks", description: "Create, watch, cancel and redeliver." },
  { name: "jobs", description: "What executors can run." },
  { name: "callbacks", description: "The hosts they go to." },
  { name: "health", description: "For load balancers and operators." },
];

const EMPTY = Type.Array(anyObject(), { maxItems: 0 });
const FIELD_ERRORS = Type.Object({
  errors: Type.Array(Type.Object({ field: Type.String(), message: Type.String() })),
});

const COMPONENTS = {
  securitySchemes: {
    adminToken: {
      type: "http" as const,
      scheme: "bearer",
      description: "ADMIN_TOKEN. Not needed from the same machine when none is set.",
    },
    ...Object.fromEntries(
      Object.entries(SIGNATURE_HEADERS).map(([name, description]) => [
        name,
        { type: "apiKey" as const, in: "header", name, description },
      ]),
    ),
  },
  schemas: {
    Refusal: envelopeOf(Type.Unsafe({ anyOf: [EMPTY, anyObject()] }), 1),
    Failure: envelopeOf(EMPTY, 1),
    Malformed: envelopeOf(FIELD_ERRORS, 1),
    Problem: problemSchema as TSchema,
  },
  responses: {
    ...PROBLEMS,
    Failure: failure("Any other failure: 400, 404, 405, 500.", { notFound: no("no such path") }),
    Unauthorised: failure("The same for an unknown key and a bad, stale or replayed signature.", {
      unauthorised: no(
        "app_key is unknown, or the signature is missing, wrong, stale or already used",
      ),
    }),
    AdminOnly: failure("The caller may not create applications.", {
      adminOnly: no("send the ADMIN_TOKEN as Authorization: Bearer <token>"),
    }),
    TooLarge: failure("The body is larger than MAX_BODY_BYTES.", {
      tooLarge: no("the body must be at most 1048576 bytes"),
    }),
    Unsupported: failure(
      "A form, a compressed body, or another charset than UTF-8. A JSON object is taken under any of `application/json`, `text/plain`, `application/x-www-form-urlencoded` and no type at all; `/application/create` without ADMIN_TOKEN takes it as JSON only.",
      { form: no("the body must be JSON in UTF-8: curl …") },
    ),
    Unavailable: {
      ...failure("Not able to accept now.", {
        unavailable: no("the database cannot be reached; try again shortly"),
      }),
      headers: {
        "Retry-After": { description: "Seconds.", schema: { type: "integer", minimum: 1 } },
      },
    },
    Invalid: {
      description: "Malformed input; every wrong field is named.",
      content: json(Type.Unsafe({ $ref: "#/components/schemas/Malformed" }), {
        fields: {
          code: 1,
          msg: "timeout must be a whole number from 1 to 86400000",
          data: {
            errors: [{ field: "timeout", message: "must be a whole number from 1 to 86400000" }],
          },
        },
      }),
    },
  },
};

function no(msg: string) {
  return { code: 1, msg, data: [] };
}

function failure(description: string, examples: Examples) {
  const schema = Type.Unsafe({ $ref: "#/components/schemas/Failure" });
  return { description, content: json(schema, examples) };
}
