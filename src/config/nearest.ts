// Names what a mistyped text was probably meant to be.
import { nearestNames } from "../core/nearest-names.ts";

/** The nearest of `names`, or nothing when none is near enough to be a slip of the finger. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  return nearestNames(text, names).likely[0];
}
