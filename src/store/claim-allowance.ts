// Counts, within one turn, whose tasks may still be claimed: one receiver must not fill a lane.
import type { ClaimAllowance, ClaimLimits } from "../core/attempt.ts";

export interface Allowance extends ClaimAllowance {
  /** See `ClaimLimits.isUneven`. */
  readonly isUneven: boolean;
}

const everything: Allowance = {
  isUneven: false,
  isClosed: () => false,
  take: () => true,
  probeTurn: () => null,
};

/** Without limits everything may be taken. */
export function createAllowance(limits: ClaimLimits | undefined): Allowance {
  if (limits === undefined) return everything;
  return { ...limits.allowance(), isUneven: limits.isUneven };
}
