// Sums up measured times for a test's report.

/** The value below which `share` (0–1) of the times lie. */
export function percentile(timesMs: readonly number[], share: number): number {
  const sorted = timesMs.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** One line for the report. */
export function describeLatencies(what: string, timesMs: readonly number[]): string {
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(timesMs, share).toFixed(2));
  return `${what}: p50 ${p50} ms, p99 ${p99} ms of ${timesMs.length}`;
}
