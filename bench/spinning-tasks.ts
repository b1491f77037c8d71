// Runs tasks of which some spin into their timeout, through the real lane, with every slot always busy.

import type { AttemptEnd, KillReceipt } from "../src/core/attempt.ts";
import { createJobLane, type JobLane } from "../src/job/job-lane.ts";
import { claimed, silent } from "../test/support/claimed-task.ts";

export interface SpinningTasks {
  readonly slots: number;
  /** Receipts of those that spun; throws when an attempt ended otherwise than it should. */
  run(job: string, spins: readonly boolean[], timeoutMs: number): Promise<KillReceipt[]>;
  close(): Promise<void>;
}

const QUICK_TIMEOUT_MS = 60_000;

export async function openSpinningTasks(jobsDir: string, slots: number): Promise<SpinningTasks> {
  const lane = await createJobLane({ jobsDir, slots, logger: silent });
  const run = createRunner(lane);
  return {
    slots,
    async run(job, spins, timeoutMs) {
      const receipts: KillReceipt[] = [];
      const open = spins.values();
      const slot = async () => {
        for (const spin of open) {
          const receipt = await run(job, spin, spin ? timeoutMs : QUICK_TIMEOUT_MS);
          if (spin) receipts.push(receipt);
        }
      };
      await Promise.all(Array.from({ length: slots }, slot));
      return receipts;
    },
    close: () => lane.close(),
  };
}

/** A slot is free again when nothing of the attempt runs any more, as in the product. */
function createRunner(lane: JobLane) {
  return async (job: string, spin: boolean, timeoutMs: number): Promise<KillReceipt> => {
    const attempt = lane.start(claimed(job, { spin }, timeoutMs));
    const [end, gone] = await Promise.all([attempt.ended, attempt.gone]);
    assertOutcome(end, spin);
    return gone;
  };
}

function assertOutcome({ outcome }: AttemptEnd, spin: boolean): void {
  const expected = spin ? "timed_out" : "succeeded";
  if (outcome !== expected) throw new Error(`an attempt ended as ${outcome}, not as ${expected}`);
}
