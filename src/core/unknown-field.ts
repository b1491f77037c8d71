// Says of a field that nothing reads what it is called and which name was probably meant.
import type { FieldError } from "./errors.ts";
import { nearestNames } from "./nearest-names.ts";

/** A field that nobody knows. */
export interface UnknownField {
  readonly field: string;
  /** What it was probably meant to be. */
  readonly likely: string | undefined;
  /** The fields that are known where it stood. */
  readonly known: readonly string[];
}

/** How many are named at most. */
export const MOST_UNKNOWN = 10;
/** Other names are not echoed. */
const PLAIN_NAME = /^[\p{L}_][\p{L}\p{N}_-]{0,63}$/u;

/** `within` stands before its name, such as `retry.`; what was meant is looked for among `names`. */
export function unknownField(
  name: string,
  place: {
    readonly within: string;
    readonly known: readonly string[];
    readonly names: readonly string[];
  },
): UnknownField {
  const { within, known, names } = place;
  if (!PLAIN_NAME.test(name)) {
    return { field: "a field with an unusual name", likely: undefined, known };
  }
  const field = within + name;
  return { field, likely: nearestNames(field, names).likely[0], known };
}

/** For a caller whose request goes on without it. */
export function warningOf(unknown: UnknownField): string {
  return `${unknown.field} is not known and was ignored${hintOf(unknown)}`;
}

/** For a caller whose request is refused because of it. */
export function errorOf(unknown: UnknownField): FieldError {
  return { field: unknown.field, message: `is not known${hintOf(unknown)}` };
}

function hintOf({ likely, known }: UnknownField): string {
  if (likely !== undefined) return `; did you mean '${likely}'?`;
  return `; the fields here are ${known.join(", ")}`;
}
