// Finds what a consumer claimed without learning of it, because the answer to its turn was lost, and hands it back.
import type { Logger } from "../core/logger.ts";
import { decideNext } from "../core/outcome.ts";
import type { Lane } from "../core/task.ts";
import type { Finish, LeaseReference, OrphanedAttempt, Store } from "../store/store.ts";

export interface StrayDeps {
  readonly store: Pick<Store, "tasks">;
  readonly serviceId: string;
  readonly lane: Lane;
  readonly leaseMs: number;
  readonly logger: Logger;
  /** What the consumer knows to be its own. */
  readonly owned: () => readonly { readonly lease: LeaseReference }[];
}

export interface Strays {
  /** The outcome of this turn is not known. */
  suspect(turnToken: string): void;
  /** Looks for what is due to be looked for. Call it between turns only: what a turn is claiming looks the same. */
  handBack(): Promise<void>;
}

interface Suspect {
  readonly token: string;
  /** Monotonic ms. The commit may land later, but what it claimed has its lease from before. */
  readonly untilMs: number;
  nextLookMs: number;
}

/** Looks at once, then with each third of a lease, until one lease has passed. */
export function createStrays(deps: StrayDeps): Strays {
  let suspects: readonly Suspect[] = [];

  return {
    suspect(token) {
      const nowMs = performance.now();
      suspects = [...suspects, { token, untilMs: nowMs + deps.leaseMs, nextLookMs: nowMs }];
    },
    async handBack() {
      const nowMs = performance.now();
      const due = suspects.filter(({ nextLookMs }) => nextLookMs <= nowMs);
      if (due.length === 0) return;
      await handBack(
        deps,
        due.map(({ token }) => token),
      );
      for (const suspect of due) suspect.nextLookMs = nowMs + deps.leaseMs / 3;
      suspects = suspects.filter(({ untilMs }) => untilMs > nowMs);
    },
  };
}

async function handBack(deps: StrayDeps, turnTokens: readonly string[]): Promise<void> {
  const { store, serviceId, lane, logger } = deps;
  const found = await store.tasks.claimedBy({ serviceId, lane, turnTokens });
  const known = new Set(deps.owned().map(({ lease }) => lease.attemptId));
  const strays = found.filter(({ attemptId }) => !known.has(attemptId));
  if (strays.length === 0) return;
  const { length } = await store.tasks.settle(strays.map(finishOf), false);
  logger.warn({ tasks: length }, "the answer to a claim was lost: its tasks were handed back");
}

/** It never began, so nothing of it runs. */
function finishOf(stray: OrphanedAttempt): Finish {
  const { taskId, attemptId, fence } = stray;
  const message = "the answer to its claim was lost: it never began";
  const error = { name: "AttemptInterrupted", message, reason: "interrupted" };
  const receipt = { killed: true, method: "none", latencyMs: 0 } as const;
  const end = { outcome: "interrupted", error, receipt } as const;
  return { taskId, attemptId, fence, end, ...decideNext(end, stray, noJitter) };
}

/** What is interrupted comes back at once. */
function noJitter(): number {
  return 0;
}
