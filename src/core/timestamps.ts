// Reads and prints moments: local times in one IANA zone, epochs and ISO 8601, all to epoch ms.
import { type AppError, invalid } from "./errors.ts";

/** A moment that was read, or why it could not be. */
export type ReadMoment =
  | { readonly kind: "moment"; readonly epochMs: number }
  | { readonly kind: "problem"; readonly message: string };

const LOCAL = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const ISO_WITH_OFFSET =
  /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/i;
/** Up to microseconds of our time: read as milliseconds, so that the refusal says which units there are. */
const EPOCH = /^\d{1,16}$/;
const EPOCH_SECONDS = /^\d{10}$/;
/** Numbers below are seconds (up to the year 5138), from here on milliseconds (since March 1973). */
const FIRST_EPOCH_MS = 100_000_000_000;
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
/** No date is later. */
const LAST_EPOCH_MS = 8_640_000_000_000_000;
const UNITS = `numbers below ${FIRST_EPOCH_MS} are seconds, all others milliseconds`;
const FORMS =
  "must be epoch seconds or milliseconds, YYYY-MM-DD HH:mm:ss, YYYY-MM-DD, or ISO 8601 with an offset";

/**
 * Reads epoch seconds or ms (a number, or its digits), `YYYY-MM-DD HH:mm:ss` in the zone, a date alone as its first
 * moment there (midnight, where the clocks do not skip it), or ISO 8601 with an offset. A local time that the zone skipped is a problem; of one that it had twice the earlier is meant.
 */
export function readMoment(value: number | string, timezone: string): ReadMoment {
  if (typeof value === "number") return readEpoch(value);
  if (EPOCH.test(value)) return readEpoch(Number(value));
  if (LOCAL.test(value)) return readLocal(value, timezone);
  if (DATE.test(value)) return readDate(value, timezone);
  if (ISO_WITH_OFFSET.test(value)) return readIso(value);
  return problem(FORMS);
}

/** Whether `readMoment` reads it in the zone that it is given. */
export function isInZone(value: number | string): boolean {
  return typeof value === "string" && (LOCAL.test(value) || DATE.test(value));
}

function readEpoch(value: number): ReadMoment {
  if (!Number.isSafeInteger(value) || value < 0 || value > LAST_EPOCH_MS) return problem(FORMS);
  return moment(value < FIRST_EPOCH_MS ? value * 1000 : value);
}

function readIso(text: string): ReadMoment {
  try {
    return moment(Temporal.Instant.from(text).epochMilliseconds);
  } catch {
    return problem("must be a date and time that exists");
  }
}

function readDate(text: string, timezone: string): ReadMoment {
  const date = localDate(text);
  if (date === undefined) return problem("must be a date that exists");
  const zoned = date.toZonedDateTime(timezone);
  if (!zoned.toPlainDate().equals(date)) return skipped(timezone);
  return moment(zoned.epochMilliseconds);
}

function localDate(text: string): Temporal.PlainDate | undefined {
  try {
    return Temporal.PlainDate.from(text);
  } catch {
    return undefined;
  }
}

function readLocal(text: string, timezone: string): ReadMoment {
  const local = localTime(text);
  if (local === undefined) return problem("must be a date and time that exists");
  const zoned = local.toZonedDateTime(timezone, { disambiguation: "earlier" });
  // In a gap "earlier" moves the clock back by the gap: what comes out is not what went in.
  if (!zoned.toPlainDateTime().equals(local)) return skipped(timezone);
  return moment(zoned.epochMilliseconds);
}

function localTime(text: string): Temporal.PlainDateTime | undefined {
  const [, year, month, day, hour, minute, second] = (LOCAL.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  try {
    return new Temporal.PlainDateTime(year, month, day, hour, minute, second);
  } catch {
    return undefined;
  }
}

/**
 * The `timestamps` header as epoch ms: exactly ten digits of epoch seconds, or `YYYY-MM-DD HH:mm:ss` in the zone.
 * Stricter than `readMoment` on purpose: signatures join timestamps and nonce without a separator, so a form with
 * more digits would let a captured request be sent again with digits moved from its nonce.
 */
export function readSignatureTime(text: string, timezone: string): number | undefined {
  if (EPOCH_SECONDS.test(text)) return Number(text) * 1000;
  if (!LOCAL.test(text)) return undefined;
  const read = readLocal(text, timezone);
  return read.kind === "moment" ? read.epochMs : undefined;
}

/**
 * When a task is due: epoch ms, or null for now (absent, 0 or past). Throws AppError `invalid` for the field `runtime`.
 * @param clock `nowMs` must not be ahead of the database's clock, else a task could start before its time
 */
export function readRuntime(
  value: number | string | undefined,
  { nowMs, timezone }: { readonly nowMs: number; readonly timezone: string },
): number | null {
  if (value === undefined) return null;
  const read = readMoment(value, timezone);
  if (read.kind === "problem") throw invalidRuntime(read.message);
  const { epochMs } = read;
  const taken = () => `${unitOf(value)} it is ${formatInstant(epochMs, timezone)}; ${UNITS}`;
  if (epochMs > nowMs + YEAR_MS) throw invalidRuntime(`must be at most 365 days ahead: ${taken()}`);
  // Seconds with a digit too many: to start at once would be the one thing nobody meant.
  if (isEpochMs(value) && epochMs < nowMs - YEAR_MS) {
    throw invalidRuntime(`must not be more than a year ago: ${taken()}`);
  }
  return epochMs <= nowMs ? null : epochMs;
}

function isEpochMs(value: number | string): boolean {
  return EPOCH.test(String(value)) && Number(value) >= FIRST_EPOCH_MS;
}

function unitOf(value: number | string): string {
  if (!EPOCH.test(String(value))) return "read as a date";
  return isEpochMs(value) ? "read as epoch milliseconds" : "read as epoch seconds";
}

/** `YYYY-MM-DD HH:mm:ss` in the zone. */
export function formatTime(epochMs: number, timezone: string): string {
  const zoned = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timezone);
  return zoned.toPlainDateTime().toString({ smallestUnit: "second" }).replace("T", " ");
}

/** ISO 8601 in the zone, with its offset. */
export function formatInstant(epochMs: number, timezone: string): string {
  const instant = Temporal.Instant.fromEpochMilliseconds(epochMs);
  return instant.toString({ timeZone: timezone, smallestUnit: "millisecond" });
}

function invalidRuntime(message: string): AppError {
  return invalid([{ field: "runtime", message }]);
}

function moment(epochMs: number): ReadMoment {
  return { kind: "moment", epochMs };
}

function skipped(timezone: string): ReadMoment {
  return problem(`must exist in the time zone ${timezone}: its clocks skip that local time`);
}

function problem(message: string): ReadMoment {
  return { kind: "problem", message };
}
