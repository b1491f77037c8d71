// Names the kind of a failure, so that equal ones can be grouped: where it was thrown, or which host did what.
import { fileURLToPath } from "node:url";
import type { AttemptEnd, AttemptError } from "./attempt.ts";
import { hostAndPort } from "./host-port.ts";
import type { ClaimedTask } from "./task.ts";

const MOST_CHARACTERS = 200;
/** `at run (file:///srv/jobs/mail.ts:12:5)` as either engine prints it; the name may be missing. */
const FRAME = /^\s*at (?:async )?(?:(.+?) \()?(?:file:\/\/)?(\/.+?):(\d+)(?::\d+)?\)?$/;
/** Code that no author of a job wrote. */
const FOREIGN = [
  "/node_modules/",
  ...["../sdk/", "../job/", "../live/"].map((folder) =>
    fileURLToPath(new URL(folder, import.meta.url)),
  ),
];

/** What of a task tells its failures apart. */
type Failed = Pick<ClaimedTask, "lane"> & {
  readonly application: Pick<ClaimedTask["application"], "linkUrl">;
};

/**
 * A short text that is equal for failures of one kind and holds nothing that changes from attempt to attempt.
 * @param linkUrl where it was delivered; null for a job
 * @example "TypeError jobs/send-mail.ts:12 render"
 * @example "shop.example:443 503"
 * @example "shop.example:443 ECONNREFUSED"
 */
export function fingerprintOf(error: AttemptError, linkUrl: string | null): string {
  const parts = linkUrl === null ? jobParts(error) : deliveryParts(error, linkUrl);
  return parts.join(" ").slice(0, MOST_CHARACTERS).toWellFormed();
}

/** The end with the fingerprint of its error, when it has one. */
export function withFingerprint(end: AttemptEnd, task: Failed): AttemptEnd {
  if (end.error === undefined) return end;
  const linkUrl = task.lane === "callback" ? task.application.linkUrl : null;
  return { ...end, error: { ...end.error, fingerprint: fingerprintOf(end.error, linkUrl) } };
}

function deliveryParts(error: AttemptError, linkUrl: string): string[] {
  const what = error.status ?? error.code ?? error.reason ?? error.name;
  return [hostOf(linkUrl), String(what)];
}

/** Name and port; never a path or a query, which may hold secrets. */
function hostOf(linkUrl: string): string {
  const url = URL.canParse(linkUrl) ? new URL(linkUrl) : undefined;
  if (url === undefined) return "(no url)";
  return hostAndPort(url);
}

function jobParts(error: AttemptError): string[] {
  if (error.thrown !== undefined) return ["thrown", whatWasThrown(error, error.thrown)];
  const name = nameWithInner(error);
  const frame = topOwnFrame(error.stack ?? "");
  if (frame !== undefined) return [name, frame];
  return error.reason === undefined ? [name] : [name, error.reason];
}

/** An aggregate is of the kind of its errors: `AggregateError[RangeError,TypeError]`. */
function nameWithInner({ name, errors = [] }: AttemptError): string {
  if (errors.length === 0) return name;
  return `${name}[${[...new Set(errors.map((each) => each.name))].sort().join(",")}]`;
}

/** No error has no place: what there is besides are its fields, or its text. */
function whatWasThrown({ name, message, fields }: AttemptError, type: string): string {
  const said = message.replace(/^thrown: /, "");
  if (type === "string") return `"${wordsOf(said)}"`;
  if (type !== "object" && type !== "function") return `${type} ${said}`;
  const known = Object.entries(fields ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const shown = known.map(([key, value]) => (isTelling(key, value) ? `${key}=${value}` : key));
  return `${name === "Error" ? "" : name}{${shown.join(",")}}`;
}

/** Values that name a kind, and are no secrets. */
function isTelling(key: string, value: unknown): value is string | number {
  if (!/^(code|errno|syscall|status|statusCode|type|kind|reason)$/.test(key)) return false;
  return typeof value === "number" || (typeof value === "string" && /^[\w.:-]{1,64}$/.test(value));
}

/** Numbers, addresses, paths and pairs, with what is attached to them: they change from one failure to the next. */
const CHANGING = /[\w.@:/=%+-]*[\d@/=][\w.@:/=%+-]*/g;
/** Too long for a word: a token, or a secret. */
const LONG = /[A-Za-z_-]{25,}/g;

/** The words that stay the same. */
function wordsOf(text: string): string {
  const words = text.replaceAll(CHANGING, "*").replaceAll(LONG, "*").split(/\s+/);
  return words
    .filter((word) => word !== "")
    .slice(0, 12)
    .join(" ");
}

/** The innermost frame outside of packages and the runtime, with the file's last two names: hosts differ in the rest. */
function topOwnFrame(stack: string): string | undefined {
  for (const line of stack.split("\n")) {
    const [, called = "(anonymous)", file, lineNumber] = FRAME.exec(line) ?? [];
    if (file === undefined || isForeign(file)) continue;
    return `${file.split("/").slice(-2).join("/")}:${lineNumber} ${called}`;
  }
  return undefined;
}

function isForeign(file: string): boolean {
  return FOREIGN.some((place) => file.includes(place));
}
