// Creates applications and gives them new ready-made headers.
import type { Store } from "../store/store.ts";
import { unauthorised } from "./authenticate.ts";
import type { SecretBox } from "./secret-box.ts";
import {
  createHeaderSet,
  equalTexts,
  type HeaderSet,
  randomAppKey,
  randomSecret,
  readyMadePayload,
} from "./signature.ts";
import { askStore } from "./store-answer.ts";
import { formatTime } from "./timestamps.ts";

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
  /** Absent: the current time in the zone. */
  readonly remark?: string;
  readonly requireBodySignature: boolean;
}

export interface CreatedApplication {
  /** Good until the signature's time to live has passed; a bearer token. */
  readonly headers: HeaderSet;
  /** Shown only here; the database keeps it sealed. */
  readonly secretKey: string;
}

/** Creates an application with a key and a secret of its own. */
export async function createApplication(
  deps: ApplicationDeps,
  input: CreateApplicationInput,
): Promise<CreatedApplication> {
  const nowMs = deps.nowMs();
  const appKey = randomAppKey();
  const secretKey = randomSecret();
  const application = {
    appKey,
    name: input.appName,
    secretSealed: deps.secretBox.seal(secretKey),
    linkUrl: input.linkUrl,
    retry: { stepS: input.step, total: input.retryTotal },
    remark: input.remark ?? formatTime(nowMs, deps.timezone),
    requireBodySignature: input.requireBodySignature,
  };
  await askStore(() => deps.store.applications.create(application));
  const payload = readyMadePayload(input.appName);
  return { headers: createHeaderSet({ appKey, secret: secretKey, payload, nowMs }), secretKey };
}

/** New ready-made headers for who knows the secret. Throws AppError `unauthorised`, the same for a wrong key. */
export async function refreshSignature(
  deps: ApplicationDeps,
  given: { readonly appKey: string; readonly secretKey: string },
): Promise<HeaderSet> {
  const { appKey, secretKey: secret } = given;
  const application = await askStore(() => deps.store.applications.find(appKey));
  // An unknown key costs the same work as a known one.
  const expected =
    application === undefined
      ? deps.secretBox.seal(randomSecret())
      : deps.secretBox.open(application.secretSealed);
  const isRight = equalTexts(expected, secret);
  if (application === undefined || !isRight) throw unauthorised();
  const payload = readyMadePayload(application.name);
  return createHeaderSet({ appKey: application.appKey, secret, payload, nowMs: deps.nowMs() });
}
