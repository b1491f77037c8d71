// Ends the one attempt that is to blame most likely when an executor is over its memory limit.

import type { OwnedAttempt } from "./attempt-table.ts";
import { chooseSuspect, type MemoryPressure } from "./memory-evidence.ts";

/** Ends it as crashed, `out_of_memory`; its error says how sure the choice is. Processes have memory of their own. */
export async function shedMemory(
  owned: readonly OwnedAttempt[],
  memory: MemoryPressure,
): Promise<void> {
  const asked = await Promise.all(owned.map(asSuspect));
  const running = asked.filter((suspect) => suspect !== undefined);
  const choice = chooseSuspect(running, memory);
  if (choice === undefined) return;
  const { rssMb = 0 } = memory.looks.at(-1) ?? {};
  const over = `the executor used ${rssMb} MB, EXECUTOR_RSS_MB allows ${memory.limitMb}`;
  choice.suspect.attempt.running.stop("memory", { why: `${over}; ${choice.why}` });
}

async function asSuspect(attempt: OwnedAttempt) {
  const suspect = attempt.end === undefined ? await attempt.running.suspect?.() : undefined;
  return suspect === undefined || attempt.end !== undefined ? undefined : { ...suspect, attempt };
}
