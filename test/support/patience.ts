// How long tests wait: a busy machine is no failure, so nothing that must come is given less.

/**
 * For one thing that must come: more than a machine needs that has ten times its work, and less than the minute
 * after which nsqd gives a message to somebody else.
 */
const PATIENCE_MS = 45_000;

/** For one test or hook, in which waits add up. */
export const TEST_LIMIT_MS = 180_000;

/** How long to wait for it. A test that asks for less than PATIENCE_MS would assert the speed of the machine, and gets that. */
export function patienceMs(atLeastMs = 0): number {
  return Math.max(atLeastMs, PATIENCE_MS);
}
