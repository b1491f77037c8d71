// What is wrong with the settings, as lines an operator can act on without reading the source.

import { nearest } from "./nearest.ts";
import { fileNameOf, KNOWN_NAMES, SETTING_NAMES, SETTINGS, type SettingName } from "./settings.ts";

/** One thing to put right. */
export interface Problem {
  /** The variable (or option) to change. */
  readonly name: string;
  /** Already masked; absent when the variable is not set. */
  readonly value?: string;
  /** What is asked for. */
  readonly message: string;
}

/** The value as it may be shown: of a secret nothing but the scheme of a URL. */
function shownValue(name: SettingName, text: string): string {
  if (SETTINGS[name].isSecret) return `${/^[a-z]{1,10}:\/\//.exec(text)?.[0] ?? ""}***`;
  const clean = JSON.stringify(text).slice(1, -1);
  return clean.length > 80 ? `${clean.slice(0, 80)}…` : clean;
}

/** The rule that a value broke, with the nearest value that keeps it. */
export function brokenRule(name: SettingName, text: string): Problem {
  const { rule, isSecret } = SETTINGS[name];
  const near = isSecret ? undefined : rule.nearest?.(text);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return { name, value: shownValue(name, text), message: `must be ${rule.text}${hint}` };
}

export function problemLine({ name, value, message }: Problem): string {
  return value === undefined ? `${name}: ${message}` : `${name}=${value}: ${message}`;
}

const prefixes = [
  "EXECUTOR_",
  "CALLBACK_",
  "NSQ",
  "JOBS_",
  "LEASE_",
  "SIGNATURE_",
  "RETENTION_",
  "SHUTDOWN_",
  "DATABASE_",
  "REDIS_",
  "ADMIN_",
  "SECRET_",
] as const;

/** One line for every variable that looks like one of ours and is none. Its value is not shown. */
export function unknownNameWarnings(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    if (KNOWN_NAMES.includes(name)) return [];
    const near = nearest(name, KNOWN_NAMES);
    // Short names (HOST, PORT) are near to too many others (HOME, PATH).
    const isSlip = near !== undefined && near.length >= 8 && name !== fileNameOf("DATA_DIR");
    if (!isSlip && !prefixes.some((prefix) => name.startsWith(prefix))) return [];
    return [`${name} is no setting${hintOf(name, near)}`];
  });
}

function hintOf(name: string, near: string | undefined): string {
  const setting = SETTING_NAMES.find((known) => fileNameOf(known) === name);
  if (setting !== undefined) return `: only secrets can come from a file; set ${setting}`;
  return near === undefined ? "" : `; did you mean ${near}?`;
}
