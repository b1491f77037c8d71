// Creates applications, gives them new ready-made headers, and replaces their secrets.

import { AppError } from "../core/errors.ts";
import { completeRetry, linearRetry, type RetryInput } from "../core/retry-policy.ts";
import type { SecretBox } from "../core/secret-box.ts";
import {
  createHeaderSet,
  equalTexts,
  randomAppKey,
  randomCallbackSecret,
  randomSecret,
  readyMadePayload,
} from "../core/signature.ts";
import { askStore } from "../core/store-answer.ts";
import type { SuccessMatch } from "../core/task.ts";
import { formatTime } from "../core/timestamps.ts";
import type { HeaderSet, NewSecretsView } from "../core/views/application.ts";
import type { Store } from "../store/store.ts";
import { unauthorised, whichSecret } from "./authenticate.ts";

export interface ApplicationDeps {
  readonly store: Pick<Store, "applications">;
  readonly secretBox: SecretBox;
  readonly nowMs: () => number;
  readonly timezone: string;
}

export interface CreateApplicationInput {
  readonly appName: string;
  readonly linkUrl: string;
  /** Seconds. */
  readonly step: number;
  readonly retryTotal: number;
  /** Goes before `step` and `retryTotal`. */
  readonly retry?: RetryInput;
  /** Absent: `body`. */
  readonly successMatch?: SuccessMatch;
  /** Absent: the current time in the zone. */
  readonly remark?: string;
  readonly requireBodySignature: boolean;
  /** Of an installation of the original API, to be kept; absent: made here. */
  readonly imported?: ImportedKeys;
}

/** Checked by `importProblems`. */
export interface ImportedKeys {
  readonly appKey: string;
  readonly secretKey: string;
}

export interface CreatedApplication {
  /** Good until the signature's time to live has passed; a bearer token. */
  readonly headers: HeaderSet;
  /** Shown only here, as the callback secret; the database keeps both sealed. */
  readonly secretKey: string;
  readonly callbackSecret: string;
}

/** Creates an application with a key and a secret of its own, or with imported ones. Throws AppError `refused` for a key that is taken. */
export async function createApplication(
  deps: ApplicationDeps,
  input: CreateApplicationInput,
): Promise<CreatedApplication> {
  const nowMs = deps.nowMs();
  const { appKey, secretKey } = input.imported ?? {
    appKey: randomAppKey(),
    secretKey: randomSecret(),
  };
  const callbackSecret = randomCallbackSecret();
  const application = {
    appKey,
    name: input.appName,
    secretSealed: deps.secretBox.seal(secretKey),
    callbackSecretSealed: deps.secretBox.seal(callbackSecret),
    linkUrl: input.linkUrl,
    successMatch: input.successMatch ?? "body",
    retry: completeRetry(input.retry, linearRetry(input.step, input.retryTotal)),
    remark: input.remark ?? formatTime(nowMs, deps.timezone),
    requireBodySignature: input.requireBodySignature,
  };
  await askStore(() => deps.store.applications.create(application));
  const payload = readyMadePayload(input.appName);
  const headers = createHeaderSet({ appKey, secret: secretKey, payload, nowMs });
  return { headers, secretKey, callbackSecret };
}

/** New ready-made headers for a caller that knows the secret. Throws AppError `unauthorised`, the same for a wrong key. */
export async function refreshSignature(
  deps: ApplicationDeps,
  given: { readonly appKey: string; readonly secretKey: string },
): Promise<HeaderSet> {
  const { appKey, secretKey: secret } = given;
  const application = await askStore(() => deps.store.applications.find(appKey));
  const known = whichSecret(deps.secretBox, application, (expected) =>
    equalTexts(expected, secret),
  );
  if (application === undefined) throw unauthorised({ check: "unknown key", appKey });
  if (known === undefined) throw unauthorised({ check: "secret", appKey });
  const payload = readyMadePayload(application.name);
  return createHeaderSet({ appKey: application.appKey, secret, payload, nowMs: deps.nowMs() });
}

export interface RotateInput {
  readonly appKey: string;
  /** How long the replaced secrets stay good besides the new ones; 0: not at all. */
  readonly graceSeconds: number;
  /** Present when the application itself asks, with a body-bound request. */
  readonly signed?: { readonly nonce: string; readonly secretSealed: string };
}

/**
 * Gives an application new secrets, shown only here. Throws AppError `not_found`, or `unauthorised` when its nonce was
 * used before or another rotation came first.
 */
export async function rotateSecrets(
  deps: Pick<ApplicationDeps, "store" | "secretBox">,
  input: RotateInput,
): Promise<NewSecretsView> {
  const { appKey, graceSeconds, signed } = input;
  const secretKey = randomSecret();
  const callbackSecret = randomCallbackSecret();
  const result = await askStore(() =>
    deps.store.applications.rotate({
      appKey,
      secretSealed: deps.secretBox.seal(secretKey),
      callbackSecretSealed: deps.secretBox.seal(callbackSecret),
      graceMs: graceSeconds * 1000,
      ...(signed && { signed }),
    }),
  );
  if (result.kind === "unknown") throw new AppError("not_found", "no application has this app_key");
  if (result.kind !== "rotated") throw unauthorised({ check: "nonce used", appKey });
  return { secretKey, callbackSecret, previousValidUntil: result.previousValidUntil };
}
