// Reads signed requests: who sent it, then what; a change that was malformed uses its nonce up all the same.
import { type Authenticated, authenticate, unauthorised } from "../core/authenticate.ts";
import { askStore } from "../core/store-answer.ts";
import type { HttpDeps } from "./deps.ts";
import type { Form } from "./form.ts";
import { readBody } from "./raw-body.ts";
import type { Exchange } from "./route.ts";

export const SIGNATURE_CHALLENGE = 'Signature headers="app_key nonce timestamps payload signature"';

/** What a caller asks for, and who it is. */
export interface SignedInput<T> {
  readonly caller: Authenticated;
  readonly input: T;
}

/** A signed body that changes nothing, or whose repetition is harmless. Throws AppError. */
export async function readSigned<T>(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<T>,
): Promise<SignedInput<T>> {
  const { request } = exchange;
  const body = await readBody(request, deps.config.maxBodyBytes);
  const caller = await identify(deps, exchange, body);
  return { caller, input: form.fromBody(request.headers, body) };
}

/** A signed body that changes something: its nonce is good once, also when the rest of it is malformed. */
export async function readSignedChange<T>(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<T>,
): Promise<SignedInput<T>> {
  const { request } = exchange;
  const body = await readBody(request, deps.config.maxBodyBytes);
  const caller = await identify(deps, exchange, body);
  try {
    return { caller, input: form.fromBody(request.headers, body) };
  } catch (error) {
    await useNonce(deps, caller);
    throw error;
  }
}

/** A signed query. Throws AppError. */
export async function readSignedQuery<T>(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<T>,
): Promise<SignedInput<T>> {
  const caller = await identify(deps, exchange, new Uint8Array());
  return { caller, input: form.fromQuery(exchange.url.searchParams) };
}

/** A signed request that says in its path what it wants. Throws AppError. */
export async function readSignedPath<T>(
  deps: HttpDeps,
  exchange: Exchange,
  form: Form<T>,
): Promise<SignedInput<T>> {
  const caller = await identify(deps, exchange, new Uint8Array());
  return { caller, input: form.fromQuery(new URLSearchParams({ ...exchange.params })) };
}

/** A signed body of which nothing is needed. Throws AppError. */
export async function readSignedRaw(deps: HttpDeps, exchange: Exchange): Promise<Authenticated> {
  const body = await readBody(exchange.request, deps.config.maxBodyBytes);
  return identify(deps, exchange, body);
}

async function useNonce(deps: HttpDeps, { application, nonce }: Authenticated): Promise<void> {
  if (nonce === undefined) return;
  const isFirst = await askStore(() => deps.store.tasks.useNonce(application.id, nonce));
  if (!isFirst) throw unauthorised();
}

async function identify(
  deps: HttpDeps,
  exchange: Exchange,
  body: Uint8Array,
): Promise<Authenticated> {
  const { request, url } = exchange;
  const caller = await authenticate(
    { ...deps.config, store: deps.store, secretBox: deps.secretBox, nowMs: deps.nowMs },
    {
      method: request.method,
      target: url.pathname + url.search,
      body,
      headers: signatureHeaders(request.headers),
    },
  );
  exchange.appKey = caller.application.appKey;
  return caller;
}

/** Throws AppError `unauthorised` when a header is there twice, or both spellings of the key disagree. */
function signatureHeaders(headers: Headers) {
  const underscored = headers.get("app_key");
  const dashed = headers.get("app-key");
  if (underscored !== null && dashed !== null && underscored !== dashed) throw unauthorised();
  return {
    appKey: once(underscored ?? dashed),
    nonce: once(headers.get("nonce")),
    timestamps: once(headers.get("timestamps")),
    payload: once(headers.get("payload")),
    signature: once(headers.get("signature")),
  };
}

/** A header that came twice arrives as one value joined by a comma and a space, which none of ours can hold. */
function once(value: string | null): string | undefined {
  if (value?.includes(", ")) throw unauthorised();
  return value ?? undefined;
}
