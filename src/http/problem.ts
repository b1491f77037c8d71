// Failures as problem+json (RFC 9457), for the routes without an envelope.
import { Type } from "@sinclair/typebox";
import type { ErrorCode } from "../core/errors.ts";
import type { Shown } from "../core/views/shapes.ts";
import { wellFormedJson } from "../core/well-formed.ts";
import { statusOf, toldFailure } from "./errors.ts";

/** A title belongs to its code, as the detail belongs to the one occurrence. */
const TITLES: Readonly<Record<ErrorCode, string>> = {
  invalid: "Malformed input",
  unauthorised: "Not authorised",
  refused: "Refused",
  not_found: "Not found",
  method_not_allowed: "Method not allowed",
  too_large: "Too large",
  too_slow: "Too slow",
  unsupported: "Unsupported media type",
  unavailable: "Not able to accept now",
  configuration: "Internal error",
  internal: "Internal error",
};

/** A business rule that says no has no envelope to say it in. */
const REFUSED_STATUS = 409;

/** The response to a request that failed. */
export function problemResponse(thrown: unknown, challenge?: string): Response {
  const { error, headers } = toldFailure(thrown, challenge);
  const { errors } = error.details;
  const problem = { ...problemOf(error.code, error.message), ...(errors && { errors }) };
  return new Response(`${wellFormedJson(JSON.stringify(problem))}\n`, {
    status: problem.status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  });
}

/** A problem as it is answered. */
export function problemOf(code: ErrorCode, detail: string): Shown<typeof problemSchema> {
  const status = code === "refused" ? REFUSED_STATUS : statusOf(code);
  return { type: "about:blank", title: TITLES[code], status, detail, code };
}

/** For the document. */
export const problemSchema = Type.Object({
  type: Type.String({ description: "Always about:blank: `code` tells problems apart." }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String({ description: "What failed, and what to do." }),
  code: Type.Unsafe<ErrorCode>(
    Type.String({ description: "A stable word for programs.", enum: Object.keys(TITLES) }),
  ),
  errors: Type.Optional(
    Type.Array(Type.Object({ field: Type.String(), message: Type.String() }), {
      description: "Every wrong field, for malformed input.",
    }),
  ),
});
