// Bugs in the engine that the fault harness must catch: text patches of the sources, each with the promise that it breaks.
import type { Cell } from "./cells.ts";

interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Plant {
  readonly patches: readonly Patch[];
  /** The name of the checker that has to report it. */
  readonly breaks: string;
  /** Faults under which it shows; absent: the load alone is enough. */
  readonly cells?: readonly Pick<Cell, "point" | "fault">[];
}

const ENDS = "G2 accepted comes to an end";

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are texts of sources */
export const ENGINE_BUGS: Readonly<Record<string, Plant>> = {
  "charge a lost attempt": {
    patches: [
      {
        file: "src/core/outcome.ts",
        find: "return { charged: isCharged(end.outcome), next",
        replace: "return { charged: true, next",
      },
    ],
    // A CHECK of the database refuses such an end, so that its task never comes to one.
    breaks: ENDS,
    cells: [{ point: "attempt-handed-over", fault: "kill-self" }],
  },
  "skip the fence": {
    patches: [
      {
        file: "src/store/finish.ts",
        find: "if (row?.fence !== finish.fence) return [];",
        replace: "if (row === undefined) return [];",
      },
      {
        // The second guard: an attempt has one end.
        file: "src/store/finish.ts",
        find: "await insertEnds(session, valid);",
        replace:
          "for (const { attemptId } of valid) await sql`delete from attempt_ends where attempt_id = ${attemptId}`.execute(session.connection); await insertEnds(session, valid);",
      },
    ],
    breaks: "G3 one success at most in a life, and nothing after it",
    cells: [{ point: "attempt-handed-over", fault: "freeze-self" }],
  },
  "run on without a lease": {
    patches: [
      {
        file: "src/consumer/leases.ts",
        find: "if (owned.end !== undefined || owned.validUntil > limit) continue;",
        replace: "if (owned.validUntil > limit || limit > 0) continue;",
      },
      {
        file: "src/consumer/leases.ts",
        find: 'owned.running.stop("interrupt", { why: "its lease was lost: the task was taken over" });',
        replace: "",
      },
    ],
    breaks: "G5 attempts of a task do not overlap",
    cells: [{ point: "attempt-handed-over", fault: "away-database" }],
  },
  "reap nothing": {
    patches: [
      {
        file: "src/use-cases/reap.ts",
        find: "const orphans = await store.tasks.expired(BATCH);",
        replace: "const orphans = (await store.tasks.expired(BATCH)).slice(BATCH);",
      },
    ],
    breaks: ENDS,
    cells: [{ point: "attempt-handed-over", fault: "kill-main" }],
  },
  "retry without end": {
    patches: [
      {
        file: "src/core/outcome.ts",
        find: "if (isForbidden || charged > retry.total)",
        replace: "if (isForbidden)",
      },
    ],
    breaks: ENDS,
  },
  "one attempt too few": {
    patches: [
      {
        file: "src/core/outcome.ts",
        find: "if (isForbidden || charged > retry.total)",
        replace: "if (isForbidden || charged >= retry.total)",
      },
    ],
    breaks: "G6 what always fails uses its whole budget",
  },
  "a deadline that nobody keeps": {
    patches: [
      {
        file: "src/job/attempt/run-job.ts",
        find: "setTimeout(onDeadline, timeoutMs)]",
        replace: "setTimeout(onDeadline, timeoutMs * 1_000)]",
      },
    ],
    breaks: ENDS,
  },
  "a deadline that comes late": {
    patches: [
      {
        file: "src/job/attempt/run-job.ts",
        find: "setTimeout(onDeadline, timeoutMs)]",
        replace: "setTimeout(onDeadline, timeoutMs + 4_000)]",
      },
    ],
    breaks: "G8 what runs too long is stopped",
  },
  "a cancel that nobody hears": {
    patches: [
      {
        file: "src/consumer/leases.ts",
        find: 'if (graceMs !== undefined) owned.running.stop("cancel", { graceMs });',
        replace: "",
      },
      {
        file: "src/consumer/leases.ts",
        find: 'if (renewed.cancelRequested) owned.running.stop("cancel", { graceMs: renewed.graceMs });',
        replace: "",
      },
      {
        file: "src/consumer/consumer.ts",
        find: 'attempt.running.stop("cancel", { graceMs: question.graceMs ?? 0 });',
        replace: "",
      },
    ],
    breaks: ENDS,
  },
  "claim what is not due": {
    patches: [
      {
        file: "src/store/claim.ts",
        find: "and run_at <= ${dialect.nowMs}",
        replace: "",
      },
      {
        file: "src/store/fair-shares.ts",
        find: "and run_at <= ${dialect.nowMs}",
        replace: "",
      },
    ],
    breaks: "G7 nothing starts early",
  },
  "a retry erases a cancel": {
    patches: [
      {
        file: "src/store/finish.ts",
        find: "row.cancel_requested_at === null ? finish : underCancel(finish)",
        replace: "finish",
      },
    ],
    breaks: ENDS,
    cells: [{ point: "cancel-heard", fault: "kill-self" }],
  },
  "reap leases that have not expired": {
    patches: [
      {
        file: "src/store/leases.ts",
        find: "and lease_until <= ${session.dialect.nowMs}",
        replace: "",
      },
      {
        file: "src/store/finish.ts",
        find: "sql`and tasks.lease_until <= ${dialect.nowMs}`",
        replace: "sql``",
      },
    ],
    breaks: "bystanders: no attempt is lost without a fault",
  },
  "forget what has ended": {
    patches: [
      {
        file: "src/consumer/turn.ts",
        find: "const finishes = batch.flatMap((owned)",
        replace: "const finishes = batch.slice(1).flatMap((owned)",
      },
    ],
    breaks: "bystanders: no attempt is lost without a fault",
  },
};
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are texts of sources */
