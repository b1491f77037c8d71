// Says what `migrate --after-restore` has done.
import type { LiftedCounter } from "./core/lifted-counter.ts";

/** One line per table, and what to do when it was not enough. */
export function liftedText(counters: readonly LiftedCounter[], margin: number): string {
  const lines = counters.map(({ table, from, to }) =>
    from === to ? `${table}: already lifted, the next id is ${to}` : `${table}: ${from} → ${to}`,
  );
  const isNew = counters.some(({ from, to }) => from !== to);
  return [
    isNew ? "the next ids:" : `the next ids, lifted before by ${margin} or more:`,
    ...lines.map((line) => `  ${line}`),
    `If more than ${isNew ? margin : "that many"} tasks, or attempts, were begun since the copy was made, run it again with a larger --margin.`,
  ].join("\n");
}
