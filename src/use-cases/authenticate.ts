// Finds out which application sent a request, or refuses it; every refusal looks the same.

import { AppError } from "../core/errors.ts";
import type { FailedCheck, RefusalNote } from "../core/refusal-note.ts";
import type { SecretBox } from "../core/secret-box.ts";
import {
  type BoundRequest,
  bodyBoundPayload,
  equalTexts,
  readyMadePayload,
  type SignedParts,
  verify,
} from "../core/signature.ts";
import { askStore } from "../core/store-answer.ts";
import { readSignatureTime } from "../core/timestamps.ts";
import type { Application, Store } from "../store/store.ts";

export interface AuthenticateDeps {
  /** Wrap it with `cacheApplications`, else each request costs one query. */
  readonly store: Pick<Store, "applications">;
  readonly secretBox: SecretBox;
  /** Epoch ms of this process. */
  readonly nowMs: () => number;
  readonly timezone: string;
  /** How long ready-made headers are good. */
  readonly signatureTtlS: number;
  /** Epoch ms up to which they are good however old they are; null or absent: no longer than that. */
  readonly legacyPayloadUntil?: number | null;
}

export interface SignedRequest extends BoundRequest {
  readonly headers: {
    readonly appKey?: string | undefined;
    readonly nonce?: string | undefined;
    readonly timestamps?: string | undefined;
    readonly payload?: string | undefined;
    readonly signature?: string | undefined;
  };
}

export interface Authenticated {
  readonly application: Application;
  /** Of a body-bound request only: what changes something uses it up. */
  readonly nonce?: string;
  /** Whether it knows the secret of today, or only the one before a rotation whose grace lasts. */
  readonly signedWith: "current" | "previous";
}

type ClaimDeps = Pick<
  AuthenticateDeps,
  "nowMs" | "timezone" | "signatureTtlS" | "legacyPayloadUntil"
>;

/** The two kinds of headers, told apart by the length of the payload alone. */
type Form = "body-bound" | "ready-made";

/** Credentials whose forms are right; nothing of them is proven yet. */
export interface Claim extends SignedParts {
  readonly appKey: string;
  readonly signature: string;
  readonly form: Form;
}

const HEADER_NAMES = [
  ["appKey", "app_key"],
  ["nonce", "nonce"],
  ["timestamps", "timestamps"],
  ["payload", "payload"],
  ["signature", "signature"],
] as const;
const BODY_BOUND = /^[0-9a-f]{64}$/;
const READY_MADE = /^[0-9a-f]{32}$/;
const NONCE = /^[\x21-\x7e]{8,64}$/;
const APP_KEY = /^[\x21-\x7e]{1,64}$/;
/** As long as a real secret. */
const STAND_IN = "x".repeat(43);
/** How far clocks may be apart, both ways; also the life of a body-bound request. */
const WINDOW_MS = 300_000;

const REFUSAL =
  "app_key is unknown, or the signature is missing, wrong, stale or already used; see docs/signature.md";

/**
 * The one refusal for an unknown key and for a bad, stale or replayed signature. `absent` are headers that did not
 * arrive at all: the caller's proxy may have dropped them, and a caller that left them out learns nothing new.
 */
export function unauthorised(refusal?: RefusalNote, absent: readonly string[] = []): AppError {
  const arrived = absent.length === 0 ? "" : `; did not arrive: ${absent.map(hintOf).join(", ")}`;
  return new AppError("unauthorised", REFUSAL + arrived, refusal && { refusal });
}

function hintOf(header: string): string {
  if (header !== "app_key") return header;
  return "app_key (proxies such as nginx drop names with underscores: send it as app-key)";
}

/**
 * What the headers claim, once their forms and their time are right: all that can be told without the store and the
 * body. Throws AppError `unauthorised`.
 */
export function readClaim(deps: ClaimDeps, headers: SignedRequest["headers"]): Claim {
  const absent = HEADER_NAMES.filter(([field]) => headers[field] === undefined);
  if (absent.length > 0) {
    const names = absent.map(([, name]) => name);
    throw unauthorised({ check: "missing headers", appKey: headers.appKey, missing: names }, names);
  }
  const claim = readCredentials(headers);
  requireTimely(deps, claim);
  return claim;
}

/**
 * The application that made the claim: the key is known and the signature its own. What a body-bound one covers is
 * compared by `confirmRequest` afterwards. Throws AppError `unauthorised`, or `unavailable`.
 */
export async function findCaller(
  deps: Pick<AuthenticateDeps, "store" | "secretBox">,
  claim: Claim,
): Promise<Authenticated> {
  const { appKey, nonce, form } = claim;
  const application = await askStore(() => deps.store.applications.find(appKey));
  // An unknown key costs the same work as a known one: a stand-in secret and all of the checks.
  const signedWith = whichSecret(deps.secretBox, application, (secret) => verify(secret, claim));
  const refused = readyMadeProblem(application, claim);
  if (application === undefined) throw unauthorised({ check: "unknown key", appKey });
  if (signedWith === undefined) throw unauthorised({ check: "signature", appKey });
  if (refused !== undefined) throw unauthorised({ check: refused, appKey });
  return form === "ready-made" ? { application, signedWith } : { application, nonce, signedWith };
}

/** Throws AppError `unauthorised` when a body-bound claim was made for another request. */
export function confirmRequest({ form, payload, appKey }: Claim, request: BoundRequest): void {
  if (form === "ready-made" || equalTexts(bodyBoundPayload(request), payload)) return;
  throw unauthorised({ check: "payload", appKey });
}

/**
 * Finds the application that signed the request. Throws AppError `unauthorised`, always the same, or `unavailable`.
 * A body-bound payload is checked as such and never as ready-made, whatever is wrong with it, and the other way round.
 */
export async function authenticate(
  deps: AuthenticateDeps,
  request: SignedRequest,
): Promise<Authenticated> {
  const claim = readClaim(deps, request.headers);
  const caller = await findCaller(deps, claim);
  confirmRequest(claim, request);
  return caller;
}

/**
 * Which of its secrets fits; undefined when none does, or nobody has the key. Costs the same for a stand-in as for an
 * application, unless that is in the grace of a rotation.
 */
export function whichSecret(
  box: SecretBox,
  application: Application | undefined,
  isRight: (secret: string) => boolean,
): Authenticated["signedWith"] | undefined {
  if (application === undefined) {
    isRight(box.seal(STAND_IN));
    return undefined;
  }
  const { secretSealed, previous } = application;
  const isCurrent = isRight(box.open(secretSealed));
  const isPrevious = previous !== null && isRight(box.open(previous.secretSealed));
  if (isCurrent) return "current";
  return isPrevious ? "previous" : undefined;
}

function readCredentials(headers: SignedRequest["headers"]): Claim {
  const { appKey = "", nonce = "", timestamps = "", payload = "", signature = "" } = headers;
  const form = formOf(payload);
  if (!APP_KEY.test(appKey)) throw unauthorised({ check: "form of app_key", appKey });
  if (!NONCE.test(nonce)) throw unauthorised({ check: "form of nonce", appKey });
  if (form === undefined) throw unauthorised({ check: "form of payload", appKey });
  return { appKey, nonce, timestamps, payload, signature, form };
}

function formOf(payload: string): Form | undefined {
  if (BODY_BOUND.test(payload)) return "body-bound";
  return READY_MADE.test(payload) ? "ready-made" : undefined;
}

function requireTimely(deps: ClaimDeps, { timestamps, form, appKey }: Claim): void {
  const signedAt = readSignatureTime(timestamps, deps.timezone);
  if (signedAt === undefined) throw unauthorised({ check: "form of timestamps", appKey });
  const ageMs = deps.nowMs() - signedAt;
  const maxAgeMs = form === "body-bound" ? WINDOW_MS : readyMadeLifeMs(deps);
  if (ageMs <= maxAgeMs && ageMs >= -WINDOW_MS) return;
  throw unauthorised({ check: "timestamps", appKey, skewS: Math.round(ageMs / 1000) });
}

function readyMadeLifeMs({ nowMs, signatureTtlS, legacyPayloadUntil }: ClaimDeps): number {
  return nowMs() < (legacyPayloadUntil ?? 0) ? Number.POSITIVE_INFINITY : signatureTtlS * 1000;
}

/** What is wrong with ready-made headers besides their signature. */
function readyMadeProblem(
  application: Application | undefined,
  { form, payload }: Claim,
): FailedCheck | undefined {
  if (form === "body-bound") return undefined;
  if (!equalTexts(readyMadePayload(application?.name ?? ""), payload)) return "payload";
  return application?.requireBodySignature === false ? undefined : "body signature required";
}
