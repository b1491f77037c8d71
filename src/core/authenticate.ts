// Finds out which application sent a request, or refuses it; every refusal looks the same.
import type { Application, Store } from "../store/store.ts";
import { AppError } from "./errors.ts";
import type { SecretBox } from "./secret-box.ts";
import {
  type BoundRequest,
  bodyBoundPayload,
  equalTexts,
  readyMadePayload,
  type SignedParts,
  verify,
} from "./signature.ts";
import { askStore } from "./store-answer.ts";
import { readSignatureTime } from "./timestamps.ts";

export interface AuthenticateDeps {
  /** Wrap it with `cacheApplications`, else each request costs one query. */
  readonly store: Pick<Store, "applications">;
  readonly secretBox: SecretBox;
  /** Epoch ms of this process. */
  readonly nowMs: () => number;
  readonly timezone: string;
  /** How long ready-made headers are good. */
  readonly signatureTtlS: number;
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

/** The two kinds of headers, told apart by the length of the payload alone. */
type Form = "body-bound" | "ready-made";

interface Credentials extends SignedParts {
  readonly appKey: string;
  readonly signature: string;
  readonly form: Form;
}

const BODY_BOUND = /^[0-9a-f]{64}$/;
const READY_MADE = /^[0-9a-f]{32}$/;
const NONCE = /^[\x21-\x7e]{8,64}$/;
const APP_KEY = /^[\x21-\x7e]{1,64}$/;
/** As long as a real secret. */
const STAND_IN = "x".repeat(43);
/** How far clocks may be apart, both ways; also the life of a body-bound request. */
const WINDOW_MS = 300_000;

/** The one refusal for an unknown key and for a bad, stale or replayed signature. */
export function unauthorised(): AppError {
  return new AppError(
    "unauthorised",
    "app_key is unknown, or the signature is missing, wrong, stale or already used; see docs/signature.md",
  );
}

/**
 * Finds the application that signed the request. Throws AppError `unauthorised`, always the same, or `unavailable`.
 * A body-bound payload is checked as such and never as ready-made, whatever is wrong with it, and the other way round.
 */
export async function authenticate(
  deps: AuthenticateDeps,
  request: SignedRequest,
): Promise<Authenticated> {
  const credentials = readCredentials(request.headers);
  if (credentials === undefined) throw unauthorised();
  const application = await askStore(() => deps.store.applications.find(credentials.appKey));
  // An unknown key costs the same work as a known one: a stand-in secret and all of the checks.
  const signedWith = whichSecret(deps.secretBox, application, (secret) =>
    verify(secret, credentials),
  );
  const isFresh = isTimely(deps, credentials);
  const isMeant = matchesForm(application, request, credentials);
  if (application === undefined || signedWith === undefined || !isFresh || !isMeant) {
    throw unauthorised();
  }
  if (credentials.form === "ready-made") return { application, signedWith };
  return { application, nonce: credentials.nonce, signedWith };
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

function readCredentials(headers: SignedRequest["headers"]): Credentials | undefined {
  const { appKey = "", nonce = "", timestamps = "", payload = "", signature = "" } = headers;
  const form = formOf(payload);
  if (form === undefined || !APP_KEY.test(appKey) || !NONCE.test(nonce)) return undefined;
  return { appKey, nonce, timestamps, payload, signature, form };
}

function formOf(payload: string): Form | undefined {
  if (BODY_BOUND.test(payload)) return "body-bound";
  return READY_MADE.test(payload) ? "ready-made" : undefined;
}

function isTimely(deps: AuthenticateDeps, credentials: Credentials): boolean {
  const signedAt = readSignatureTime(credentials.timestamps, deps.timezone);
  if (signedAt === undefined) return false;
  const ageMs = deps.nowMs() - signedAt;
  const maxAgeMs = credentials.form === "body-bound" ? WINDOW_MS : deps.signatureTtlS * 1000;
  return ageMs <= maxAgeMs && ageMs >= -WINDOW_MS;
}

function matchesForm(
  application: Application | undefined,
  request: SignedRequest,
  credentials: Credentials,
): boolean {
  if (credentials.form === "body-bound") {
    return equalTexts(bodyBoundPayload(request), credentials.payload);
  }
  const isRightName = equalTexts(readyMadePayload(application?.name ?? ""), credentials.payload);
  return isRightName && application?.requireBodySignature === false;
}
