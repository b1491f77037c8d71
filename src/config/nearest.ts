// Finds what a mistyped name was probably meant to be.
import { closest, distance } from "fastest-levenshtein";

/** The nearest of `names`, or nothing when none is near enough to be a slip of the finger. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  const name = closest(text, names);
  const slips = Math.max(2, Math.floor(name.length / 3));
  return distance(text, name) <= slips ? name : undefined;
}
