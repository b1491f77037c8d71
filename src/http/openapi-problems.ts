// The shared problem+json responses of the OpenAPI document.
import { problemOf } from "./problem.ts";

const AGAIN = {
  "Retry-After": { description: "Seconds.", schema: { type: "integer" as const, minimum: 1 } },
};

/** By their name in `components.responses`. */
export const PROBLEMS = {
  FailureProblem: problem("Any other failure.", problemOf("internal", "internal error")),
  UnauthorisedProblem: problem(
    "Neither the operator nor this application; the same for every reason.",
    problemOf("unauthorised", "send the ADMIN_TOKEN as Authorization: Bearer <token>"),
  ),
  NotFoundProblem: problem(
    "There is no such thing.",
    problemOf("not_found", "no application has this app_key"),
  ),
  TooLargeProblem: problem(
    "The body is larger than MAX_BODY_BYTES.",
    problemOf("too_large", "the body must be at most 1048576 bytes"),
  ),
  UnsupportedProblem: problem(
    "A form, a compressed body, or another charset than UTF-8.",
    problemOf("unsupported", "the body must be JSON in UTF-8: curl …"),
  ),
  InvalidProblem: problem("Malformed input; every wrong field is named.", {
    ...problemOf("invalid", "graceSeconds must be a whole number from 0 to 604800"),
    errors: [{ field: "graceSeconds", message: "must be a whole number from 0 to 604800" }],
  }),
  UnavailableProblem: {
    ...problem(
      "Not able to accept now.",
      problemOf("unavailable", "the database cannot be reached; try again shortly"),
    ),
    headers: AGAIN,
  },
};

function problem(description: string, example: object) {
  const schema = { $ref: "#/components/schemas/Problem" };
  return { description, content: { "application/problem+json": { schema, example } } };
}
