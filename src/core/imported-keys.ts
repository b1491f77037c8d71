// Judges keys that are brought along from an installation of the original API, where others have made them.
import type { FieldError } from "./errors.ts";

const APP_KEY = /^[A-Za-z0-9_-]{16,64}$/;
const SECRET_KEY = /^[\x21-\x7e]{32,256}$/;
/** 32 random hex digits, the poorest alphabet in use, have fewer than 8 different ones less than once in 10^5. */
const LEAST_DIFFERENT = 8;

/** What is wrong with the pair; empty when it may be used. */
export function importProblems(keys: {
  readonly appKey?: string | undefined;
  readonly secretKey?: string | undefined;
}): FieldError[] {
  const { appKey, secretKey } = keys;
  if (appKey === undefined && secretKey === undefined) return [];
  if (appKey === undefined || secretKey === undefined) {
    const field = appKey === undefined ? "appKey" : "secretKey";
    return [{ field, message: "is missing: both keys are imported together" }];
  }
  const problems: FieldError[] = [];
  if (!APP_KEY.test(appKey)) {
    const message = "must be 16 to 64 letters, digits, _ or -, as the original made it";
    problems.push({ field: "appKey", message });
  }
  const weakness = weaknessOf(secretKey, appKey);
  return weakness === null ? problems : [...problems, { field: "secretKey", message: weakness }];
}

function weaknessOf(secretKey: string, appKey: string): string | null {
  if (!SECRET_KEY.test(secretKey))
    return "must be 32 to 256 printable ASCII characters without spaces";
  const different = new Set(secretKey).size;
  if (different < LEAST_DIFFERENT) {
    return `is weak: it has ${different} different characters, ${LEAST_DIFFERENT} is the least; leave both keys out for new ones`;
  }
  if (secretKey.includes(appKey)) return "is weak: it contains appKey";
  return repeatsItself(secretKey) ? "is weak: it repeats itself" : null;
}

/** Whether a start of at most half its length, said again and again, is the whole text. */
function repeatsItself(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period++) {
    if (text.endsWith(text.slice(0, -period)) && text.startsWith(text.slice(period))) return true;
  }
  return false;
}
