// The route that gives an application new secrets: asked by the operator, or by the application itself.
import { Type } from "@sinclair/typebox";
import { newSecretsSchema } from "../core/views/application.ts";
import { named } from "../core/views/named.ts";
import { type RotateInput, rotateSecrets } from "../use-cases/applications.ts";
import { unauthorised } from "../use-cases/authenticate.ts";
import { ADMIN_CHALLENGE, requireAdmin } from "./admin.ts";
import { curlFor } from "./curl.ts";
import type { HttpDeps } from "./deps.ts";
import { createForm, type Form } from "./form.ts";
import { plainOperation } from "./operation.ts";
import { plainResponse } from "./plain.ts";
import type { Exchange, Route } from "./route.ts";
import { text, whole } from "./schemas.ts";
import { readOpen, readSignedChange, SIGNATURE_CHALLENGE } from "./signed.ts";

const PATH = "/api/v1/applications/:app_key/rotate";
const EXAMPLE = { graceSeconds: 3600 };
const LONGEST_GRACE_S = 604_800;

const rotation = named(
  "Rotation",
  Type.Object({
    graceSeconds: whole({
      min: 0,
      max: LONGEST_GRACE_S,
      description: "How long the replaced secrets stay good besides the new ones; 0: not at all.",
      example: 3600,
    }),
  }),
);
type Asked = { readonly graceSeconds: number };

/** `POST /api/v1/applications/{app_key}/rotate`. */
export function applicationRotateRoute(deps: HttpDeps): Route {
  const path = PATH.replace(":app_key", "$APP_KEY");
  const curl = curlFor(deps.config, { path, body: EXAMPLE, proof: "admin" });
  const form = createForm(rotation, curl, "exact");
  return {
    method: "POST",
    path: PATH,
    operation: rotateOperation,
    challenge: `${ADMIN_CHALLENGE}, ${SIGNATURE_CHALLENGE}`,
    failures: "problem",
    answer: async (exchange) => {
      const isSigned = exchange.request.headers.has("signature");
      const input = await (isSigned ? readOwn : readAdmin)(deps, exchange, form);
      return plainResponse(await rotateSecrets(deps, input));
    },
  };
}

/** The operator's. */
async function readAdmin(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<Asked>,
): Promise<RotateInput> {
  requireAdmin(deps.config, exchange);
  const { input } = await readOpen(deps, exchange, { form, owner: "the operator" });
  return { ...input, appKey: exchange.params["app_key"] ?? "" };
}

/**
 * The application's own: body-bound, because anybody who has seen ready-made headers could otherwise take it over, and with
 * the secret of today, because one that is being replaced must not be able to replace its successor.
 */
async function readOwn(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<Asked>,
): Promise<RotateInput> {
  const { caller, input } = await readSignedChange(deps, exchange, form);
  const { application, nonce, signedWith } = caller;
  const isOwn = application.appKey === exchange.params["app_key"];
  if (!isOwn || nonce === undefined || signedWith !== "current") {
    throw unauthorised({ check: "not its own key or current secret" });
  }
  const signed = { nonce, secretSealed: application.secretSealed };
  return { ...input, appKey: application.appKey, signed };
}

const rotateOperation = plainOperation({
  id: "rotateApplication",
  tag: "applications",
  summary: "Replace an application's secrets",
  description:
    "Gives it a new `secretKey` and a new `callbackSecret`, shown only here. Needs the ADMIN_TOKEN as for /application/create, or the five headers of the application itself: body-bound and with its current secret, using the nonce up. For `graceSeconds` the replaced secrets stay good as well: requests may be signed with either, and callbacks are signed with both (two `v1,` signatures in `webhook-signature`, and `signature-previous` besides `signature`). A second rotation ends the grace of the first one: only the newest replaced secrets are kept. Other processes know within one second.",
  proof: "adminOrSignature",
  path: Type.Object({
    app_key: text({
      min: 1,
      max: 64,
      description: "The application's key.",
      example: "wWt1aSZj2KXMO7fE",
    }),
  }),
  body: { schema: rotation, examples: { anHour: EXAMPLE, atOnce: { graceSeconds: 0 } } },
  answer: newSecretsSchema,
  examples: {
    rotated: {
      secretKey: "l0q3Zk1vKc5Xo7c2m9sQ4uB8eD6fT1yR0aWnJhGxPiM",
      callbackSecret: "whsec_oRJv1v0yGZ2vJQ1bS4fTn8mXcKeUuP3dW7hLzA5yQ0k=",
      previousValidUntil: 1_626_422_379_000,
    },
  },
  errors: ["Unauthorised", "NotFound", "TooLarge", "Unsupported", "Invalid", "Unavailable"],
});
