// The routes of applications: create one, and get new ready-made headers for it.
import { type Static, Type } from "@sinclair/typebox";
import { invalid } from "../core/errors.ts";
import { importProblems } from "../core/imported-keys.ts";
import { linkUrlProblem, linkUrlWarning } from "../core/link-url.ts";
import { allowsLoopbackCallbacks } from "../core/loopback.ts";
import { SUCCESS_MATCHES } from "../core/task.ts";
import {
  type NewApplicationView,
  newApplicationSchema,
  readyMadeHeadersSchema,
} from "../core/views/application.ts";
import { named } from "../core/views/named.ts";
import { createApplication, refreshSignature } from "../use-cases/applications.ts";
import { ADMIN_CHALLENGE, requireAdmin } from "./admin.ts";
import { callbacks } from "./callback-document.ts";
import { curlFor } from "./curl.ts";
import type { HttpDeps } from "./deps.ts";
import { succeed, warned } from "./envelope.ts";
import { createForm, type Form } from "./form.ts";
import { operation } from "./operation.ts";
import { RETRY_EXAMPLE, retryFields } from "./retry-fields.ts";
import type { Exchange, Route } from "./route.ts";
import { choice, flag, httpUrl, name, text, whole } from "./schemas.ts";
import { readOpen, SIGNATURE_CHALLENGE } from "./signed.ts";

const CREATE = "/application/create";
const REFRESH = "/application/refresh-signature";
/** Anybody may send them, and they are two short texts. */
const MAX_CREDENTIALS_BYTES = 16_384;

const newApplication = named(
  "NewApplication",
  Type.Object({
    appName: name({
      min: 1,
      max: 100,
      description: "Name of the application.",
      example: "帅的批爆1",
    }),
    linkUrl: httpUrl({
      description:
        "Where its callbacks are delivered: no user or password, port 80, 443 or from 1024 on (more with CALLBACK_PORTS). A private address that CALLBACK_ALLOW does not name is taken, with a line in `data.warnings`.",
      example: "http://127.0.0.1",
    }),
    step: Type.Optional(
      whole({ min: 0, max: 3600, description: "Retry step in seconds.", example: 10, default: 5 }),
    ),
    retryTotal: Type.Optional(
      whole({ min: 0, max: 10, description: "Retries after a failure.", example: 0, default: 5 }),
    ),
    remark: Type.Optional(
      text({ min: 0, max: 255, description: "Default: the current time.", example: "呵呵" }),
    ),
    requireBodySignature: Type.Optional(
      flag({ description: "Refuse ready-made headers.", default: false }),
    ),
    retry: Type.Optional(
      retryFields(
        "When failed tasks are tried again. `step` and `max` default to step and retryTotal.",
      ),
    ),
    appKey: Type.Optional(
      text({
        min: 1,
        max: 64,
        description: "Of the original API, to be kept. Only together with secretKey.",
        example: "wWt1aSZj2KXMO7fE",
      }),
    ),
    secretKey: Type.Optional(
      text({
        min: 1,
        max: 256,
        description:
          "Of the original API, to be kept: 32 characters or more, none that can be guessed.",
        example: "MvNHS5TRlfGZcKYCAg4mDI3IADnoiOUw",
      }),
    ),
    successMatch: Type.Optional(
      choice({
        of: SUCCESS_MATCHES,
        description: "A delivery succeeds on 2xx with the body `success`, or on any 2xx.",
        default: "body",
      }),
    ),
  }),
);

const credentials = named(
  "Credentials",
  Type.Object({
    app_key: text({
      min: 1,
      max: 64,
      description: "The application's key.",
      example: "wWt1aSZj2KXMO7fE",
    }),
    secret_key: text({
      min: 1,
      max: 256,
      description: "The secret that create returned.",
      example: "l0q3Zk1vKc5Xo7c2m9sQ4uB8eD6fT1yR0aWnJhGxPiM",
    }),
  }),
);

const createExample = {
  appName: "帅的批爆1",
  step: 10,
  retryTotal: 0,
  linkUrl: "http://127.0.0.1",
  remark: "呵呵",
};
const retryExample = {
  appName: "shop",
  linkUrl: "https://shop.example/callbacks",
  retry: RETRY_EXAMPLE,
  successMatch: "2xx",
};
const callbackSecretExample = "whsec_oRJv1v0yGZ2vJQ1bS4fTn8mXcKeUuP3dW7hLzA5yQ0k=";
const refreshExample = {
  app_key: "wWt1aSZj2KXMO7fE",
  secret_key: "l0q3Zk1vKc5Xo7c2m9sQ4uB8eD6fT1yR0aWnJhGxPiM",
};
const headersExample = {
  nonce: "S5D7zmW5HNnSiqf0",
  timestamps: "1626418779",
  signature:
    "NTBhNmIyYTRkZjFkODM4MDIyYTYzMzllMDIwN2QyN2MyYjNiYzg3YjM0ODc1YWNiZWZlOGQxZGU0MmE4NzgxMg==",
  appKey: "wWt1aSZj2KXMO7fE",
  payload: "57bcd60eefcac9701fd2407080a5a7b0",
};

/** `POST /application/create` and `POST /application/refresh-signature`. */
export function applicationRoutes(deps: HttpDeps): Route[] {
  const { config } = deps;
  const createCurl = curlFor(config, { path: CREATE, body: createExample, proof: "admin" });
  const refreshCurl = curlFor(config, { path: REFRESH, body: refreshExample, proof: "none" });
  // A page on the web cannot send an Authorization header by itself; without a token its content type gives it away.
  const manner = config.adminToken === null ? "typed" : "seed";
  const createInput = createForm(newApplication, createCurl, manner);
  const refreshInput = createForm(credentials, refreshCurl, "seed");
  return [
    {
      method: "POST",
      path: CREATE,
      operation: createOperation,
      challenge: ADMIN_CHALLENGE,
      answer: (exchange) => create(deps, exchange, createInput),
    },
    {
      method: "POST",
      path: REFRESH,
      operation: refreshOperation,
      challenge: SIGNATURE_CHALLENGE,
      answer: (exchange) => refresh(deps, exchange, refreshInput),
    },
  ];
}

const createOperation = {
  ...operation({
    id: "createApplication",
    tag: "applications",
    summary: "Create an application",
    description:
      "Needs `Authorization: Bearer $ADMIN_TOKEN`. Without ADMIN_TOKEN it is open on this machine only: HOST is loopback, the Host header is localhost, 127.0.0.1 or [::1], and no proxy header is there. `secretKey` (signs requests, and callbacks in the headers of the original API) and `callbackSecret` (signs callbacks as Standard Webhooks) are shown only here.",
    proof: "admin",
    body: { schema: newApplication, examples: { seed: createExample, ownRetries: retryExample } },
    data: newApplicationSchema,
    examples: {
      created: {
        code: 0,
        msg: "Ok!",
        data: {
          ...headersExample,
          secretKey: refreshExample.secret_key,
          callbackSecret: callbackSecretExample,
        },
      },
    },
    errors: ["AdminOnly", "TooLarge", "Unsupported", "Invalid", "Unavailable"],
  }),
  callbacks,
};

const refreshOperation = operation({
  id: "refreshSignature",
  tag: "applications",
  summary: "Get new ready-made headers",
  description: "A new ready-made header set. A wrong key and a wrong secret get the same 401.",
  proof: "none",
  body: { schema: credentials, examples: { refresh: refreshExample } },
  data: readyMadeHeadersSchema,
  examples: { refreshed: { code: 0, msg: "Ok!", data: headersExample } },
  errors: ["Unauthorised", "TooLarge", "Unsupported", "Invalid", "Unavailable"],
});

async function create(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<Static<typeof newApplication>>,
): Promise<Response> {
  requireAdmin(deps.config, exchange);
  const { input, warnings } = await readOpen(deps, exchange, { form, owner: "the operator" });
  const problem = linkUrlProblem(input.linkUrl, deps.config.callbackPorts);
  const { appKey, secretKey } = input;
  const problems = importProblems({ appKey, secretKey });
  if (problem !== null) problems.push({ field: "linkUrl", message: problem });
  if (problems.length > 0) throw invalid(problems);
  const created = await createApplication(useCaseDeps(deps), {
    appName: input.appName,
    linkUrl: input.linkUrl,
    step: input.step ?? 5,
    retryTotal: input.retryTotal ?? 5,
    requireBodySignature: input.requireBodySignature ?? false,
    ...(input.remark !== undefined && { remark: input.remark }),
    ...(input.retry && { retry: input.retry }),
    ...(input.successMatch && { successMatch: input.successMatch }),
    ...(appKey && secretKey && { imported: { appKey, secretKey } }),
  });
  const view: NewApplicationView = {
    ...created.headers,
    secretKey: created.secretKey,
    callbackSecret: created.callbackSecret,
  };
  exchange.appKey = view.appKey;
  const { callbackAllow } = deps.config;
  const allowsLoopback = allowsLoopbackCallbacks(deps.config);
  const warning = linkUrlWarning(input.linkUrl, { callbackAllow, allowsLoopback });
  const told = warning === null ? warnings : [warning, ...warnings];
  return succeed(warned(view, told), "Ok!");
}

async function refresh(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<Static<typeof credentials>>,
): Promise<Response> {
  const maxBytes = Math.min(MAX_CREDENTIALS_BYTES, deps.config.maxBodyBytes);
  const wanted = { form, owner: "unsigned callers", maxBytes };
  const { input, warnings } = await readOpen(deps, exchange, wanted);
  const given = { appKey: input.app_key, secretKey: input.secret_key };
  const headers = await refreshSignature(useCaseDeps(deps), given);
  exchange.appKey = headers.appKey;
  return succeed(warned(headers, warnings), "Ok!");
}

function useCaseDeps(deps: HttpDeps) {
  const { store, secretBox, nowMs, config } = deps;
  return { store, secretBox, nowMs, timezone: config.timezone };
}
