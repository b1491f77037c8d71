// Hears the signals that end the program: the first asks, a later one insists.

/** Ctrl-C under `bun run` delivers SIGINT twice within a millisecond: that is one wish, not two. */
const SAME_WISH_MS = 1000;

export interface SignalPlan {
  /** End gracefully. */
  first(): void;
  /** End at once. */
  second(): void;
}

export function hearSignals(plan: SignalPlan): void {
  let firstAt: number | null = null;
  function hear(): void {
    if (firstAt === null) {
      firstAt = performance.now();
      plan.first();
      return;
    }
    if (performance.now() - firstAt >= SAME_WISH_MS) plan.second();
  }
  process.on("SIGTERM", hear);
  process.on("SIGINT", hear);
}
