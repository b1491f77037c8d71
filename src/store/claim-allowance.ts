// Counts, within one turn, whose tasks may still be claimed: one receiver must not fill a lane.
import type { ClaimLimits } from "../core/attempt.ts";

export interface Allowance {
  /** No more than so many can be taken in all. */
  readonly most: number;
  /** Some applications may have nothing at all: their backlog must not be read over and over. */
  readonly hasClosed: boolean;
  isClosed(applicationId: number): boolean;
  /** True, and one less is left, while the application's share is not used up. */
  take(applicationId: number): boolean;
}

interface Share {
  left: number;
}

const everything: Allowance = {
  most: Number.POSITIVE_INFINITY,
  hasClosed: false,
  isClosed: () => false,
  take: () => true,
};

/** Without limits everything may be taken. */
export function createAllowance(limits: ClaimLimits | undefined): Allowance {
  if (limits === undefined) return everything;
  const others: Share = { left: limits.mostOfOthers };
  const shares = new Map<number, Share>();
  for (const { applicationIds, most } of limits.shares) {
    const share: Share = { left: most };
    for (const id of applicationIds) shares.set(id, share);
  }
  const shareOf = (applicationId: number) => shares.get(applicationId) ?? others;
  return {
    most: limits.shares.reduce((sum, { most }) => sum + most, limits.mostOfOthers),
    hasClosed: limits.shares.some(({ most }) => most === 0),
    isClosed: (applicationId) => shareOf(applicationId).left <= 0,
    take: (applicationId) => {
      const share = shareOf(applicationId);
      if (share.left <= 0) return false;
      share.left -= 1;
      return true;
    },
  };
}
