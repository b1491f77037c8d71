// Reads signed requests: first the sender, then the body; a malformed change uses its nonce up all the same.

import { failpoint } from "../core/failpoints.ts";
import type { FailedCheck } from "../core/refusal-note.ts";
import type { BoundRequest } from "../core/signature.ts";
import { askStore } from "../core/store-answer.ts";
import {
  type Authenticated,
  authenticate,
  confirmRequest,
  findCaller,
  readClaim,
  type SignedRequest,
  unauthorised,
} from "../use-cases/authenticate.ts";
import type { HttpDeps } from "./deps.ts";
import type { Form, FormReading } from "./form.ts";
import type { Exchange } from "./route.ts";

export const SIGNATURE_CHALLENGE = 'Signature headers="app_key nonce timestamps payload signature"';

/** A request and its sender. */
export interface SignedInput<T> extends FormReading<T> {
  readonly caller: Authenticated;
}

/** The same, with the body it was read from. */
export interface SignedBody<T> extends SignedInput<T> {
  readonly body: Uint8Array;
}

/** A signed body that changes nothing, or whose repetition is harmless. Throws AppError. */
export async function readSigned<T>(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<T>,
): Promise<SignedBody<T>> {
  return withBody(deps, exchange, (caller, body) => ({
    caller,
    ...form.fromBody(exchange.request.headers, body),
    body,
  }));
}

/** A signed body that changes something: its nonce is good once, also when the rest of it is malformed. */
export async function readSignedChange<T>(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<T>,
): Promise<SignedInput<T>> {
  return withBody(deps, exchange, async (caller, body) => {
    try {
      return { caller, ...form.fromBody(exchange.request.headers, body) };
    } catch (error) {
      await useNonce(deps, caller);
      throw error;
    }
  });
}

/** A signed query. Throws AppError. */
export async function readSignedQuery<T>(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<T>,
): Promise<SignedInput<T>> {
  const caller = await identify(deps, exchange);
  return { caller, ...form.fromQuery(exchange.url.searchParams) };
}

/** A signed request that says in its path what it wants. Throws AppError. */
export async function readSignedPath<T>(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<T>,
): Promise<SignedInput<T>> {
  const caller = await identify(deps, exchange);
  return { caller, ...form.fromQuery(new URLSearchParams({ ...exchange.params })) };
}

/** A signed body of which nothing is needed. Throws AppError. */
export async function readSignedRaw(deps: HttpDeps, exchange: Exchange): Promise<Authenticated> {
  return withBody(deps, exchange, (caller) => caller);
}

/** A body without a signature. `owner` names the kind of caller: such bodies share the room of one caller. */
export async function readOpen<T>(
  deps: HttpDeps,
  exchange: Exchange,
  wanted: { readonly form: Form<T>; readonly owner: string; readonly maxBytes?: number },
): Promise<FormReading<T>> {
  const { request } = exchange;
  const body = deps.bodies.open(request, wanted.owner, wanted.maxBytes);
  try {
    const bytes = await body.read();
    exchange.isBodyRead = true;
    return wanted.form.fromBody(request.headers, bytes);
  } finally {
    body.release();
  }
}

async function useNonce(deps: HttpDeps, { application, nonce }: Authenticated): Promise<void> {
  if (nonce === undefined) return;
  const isFirst = await askStore(() => deps.store.tasks.useNonce(application.id, nonce));
  if (!isFirst) throw unauthorised({ check: "nonce used" });
}

/** Nothing of a body is read before its sender is known, and it may hold memory only as long as it is looked at. */
async function withBody<T>(
  deps: HttpDeps,
  exchange: Exchange,
  use: (caller: Authenticated, body: Uint8Array) => T | Promise<T>,
): Promise<T> {
  const claim = readClaim(claimDeps(deps), signatureHeaders(exchange.request.headers));
  const body = deps.bodies.open(exchange.request, claim.appKey);
  try {
    const caller = await findCaller(deps, claim);
    exchange.appKey = caller.application.appKey;
    const bytes = await body.read();
    exchange.isBodyRead = true;
    failpoint("request-read");
    confirmRequest(claim, boundRequest(exchange, bytes));
    failpoint("signature-right");
    return await use(caller, bytes);
  } finally {
    body.release();
  }
}

/** The application that signed a request without a body. */
async function identify(deps: HttpDeps, exchange: Exchange): Promise<Authenticated> {
  const caller = await authenticate(
    { ...claimDeps(deps), store: deps.store, secretBox: deps.secretBox },
    {
      ...boundRequest(exchange, new Uint8Array()),
      headers: signatureHeaders(exchange.request.headers),
    },
  );
  exchange.appKey = caller.application.appKey;
  return caller;
}

function claimDeps({ config, nowMs }: HttpDeps) {
  const { timezone, signatureTtlS, legacyPayloadUntil } = config;
  return { timezone, signatureTtlS, legacyPayloadUntil, nowMs };
}

function boundRequest({ request, url }: Exchange, body: Uint8Array): BoundRequest {
  return { method: request.method, target: url.pathname + url.search, body };
}

/** Throws AppError `unauthorised` when a header is there twice, or both spellings of the key disagree. */
function signatureHeaders(headers: Headers): SignedRequest["headers"] {
  const underscored = headers.get("app_key");
  const dashed = headers.get("app-key");
  const appKey = underscored ?? dashed ?? undefined;
  const refuse = (check: FailedCheck) => unauthorised({ check, appKey });
  if (underscored !== null && dashed !== null && underscored !== dashed) {
    throw refuse("app_key in two spellings");
  }
  const once = (value: string | null | undefined) => {
    // A header that came twice arrives as one value joined by a comma and a space, which none of ours can hold.
    if (value?.includes(", ")) throw refuse("a header twice");
    return value ?? undefined;
  };
  return {
    appKey: once(appKey),
    nonce: once(headers.get("nonce")),
    timestamps: once(headers.get("timestamps")),
    payload: once(headers.get("payload")),
    signature: once(headers.get("signature")),
  };
}
