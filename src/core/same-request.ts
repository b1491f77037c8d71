// What makes two creates the same request: digests over their parts, today's and those of earlier releases.
import { hash } from "node:crypto";
import canonicalize from "canonicalize";
import { type AppError, invalid } from "./errors.ts";
import { unmarked } from "./exact-json.ts";
import type { SubmitInput } from "./submit-input.ts";
import type { TaskContent } from "./task-content.ts";
import { readMoment } from "./timestamps.ts";

/** Left out on purpose: both creates have the same `taskNo`, and `contentText` is what `content` was read from. */
type NotCompared = "taskNo" | "contentText";

/** The fields of a create that tell it from another one under the same taskNo: every one that is not left out. */
export type CreateField = Exclude<keyof SubmitInput, NotCompared>;

/** The parts of a create that decide whether a repetition is the same; all but the content are as sent. */
export type SameParts = {
  readonly [Field in Exclude<CreateField, "content">]: SubmitInput[Field];
} & {
  readonly content: Pick<TaskContent, "value" | "marked">;
};

/** Both are lowercase hex SHA-256. */
export interface RequestDigests {
  /** Over the numbers as doubles and the runtime as sent: what earlier releases know a request by. */
  readonly digest: string;
  /** Over the numbers as they came and the instant that was meant. Equal to `digest` for most requests. */
  readonly exactDigest: string;
}

/** The digests of a row; one that an earlier release made has no exact one. */
export type StoredDigests = Pick<RequestDigests, "digest"> & {
  readonly exactDigest: string | null;
};

/** What may be absent of a create may be left out here as well. */
export type AnyParts = Pick<SameParts, "name" | "content" | "timeout"> & {
  readonly [Field in keyof SameParts]?: SameParts[Field] | undefined;
};

/** Throws AppError `invalid` for content that has no RFC 8785 form. */
export function requestDigests(parts: AnyParts, timezone: string): RequestDigests {
  const { runtime, content } = parts;
  const asDoubles = wholeText(parts, content.value, runtime);
  const instant = instantOf(runtime, timezone);
  const isAsSent = content.marked === undefined && instant === runtime;
  const exact = isAsSent ? asDoubles : wholeText(parts, content.marked ?? content.value, instant);
  if (exact === undefined) throw unsayable();
  const exactDigest = sha256(content.marked === undefined ? exact : unmarked(exact));
  const isSame = isAsSent || asDoubles === undefined;
  return { exactDigest, digest: isSame ? exactDigest : sha256(asDoubles) };
}

/** The RFC 8785 form of all parts, whose keys come in this order; undefined for what it cannot carry. */
function wholeText(parts: AnyParts, content: unknown, runtime: SameParts["runtime"]) {
  const { name, retry, timeout } = parts;
  const own = canonicalText(content);
  if (own === undefined || !name.isWellFormed()) return undefined;
  // Undefined: it was not sent.
  const texts: Readonly<Record<CreateField, string | undefined>> = {
    content: own,
    name: JSON.stringify(name),
    retry: retry && canonicalText(retry),
    runtime: JSON.stringify(runtime),
    timeout: String(timeout),
  };
  let whole = "";
  for (const [field, text] of Object.entries(texts)) {
    if (text !== undefined) whole += `${whole === "" ? "" : ","}"${field}":${text}`;
  }
  return `{${whole}}`;
}

/** Whether a create asks for what is stored under its taskNo. */
export function isSameRequest(stored: StoredDigests, asked: RequestDigests): boolean {
  if (stored.exactDigest !== null) return stored.exactDigest === asked.exactDigest;
  return stored.digest === asked.digest || stored.digest === asked.exactDigest;
}

/** The same instant in any form is the same; one that cannot be read is refused later, and counts as it was sent. */
function instantOf(runtime: SameParts["runtime"], timezone: string): SameParts["runtime"] {
  if (runtime === undefined) return undefined;
  const read = readMoment(runtime, timezone);
  if (read.kind === "problem") return runtime;
  // 0 is no runtime.
  return read.epochMs === 0 ? undefined : read.epochMs;
}

/** Undefined for what RFC 8785 cannot carry. */
function canonicalText(parts: unknown): string | undefined {
  try {
    return canonicalize(parts);
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return hash("sha256", text, "hex");
}

function unsayable(): AppError {
  return invalid([{ field: "content", message: "must hold only well-formed Unicode" }]);
}
