// Lets a long command be sampled by time: `--seconds N` takes a random part of its cases that fits.

export interface Sample {
  /** No `--seconds` was given: every case counts, and documents are written. */
  readonly isWhole: boolean;
  /** The cases in the order to take them: as they are, or shuffled, so that samples differ. */
  order<T>(cases: readonly T[]): readonly T[];
  /** False once this share of the time has passed; always true for the whole. */
  isTimeLeft(share?: number): boolean;
}

/** @param args of the command, such as `["--seconds", "120"]` */
export function openSample(args: readonly string[]): Sample {
  const at = args.indexOf("--seconds");
  if (at === -1) return { isWhole: true, order: (cases) => cases, isTimeLeft: () => true };
  const seconds = Number(args[at + 1]);
  if (!(seconds > 0)) throw new Error(`--seconds must be a number above 0, not ${args[at + 1]}`);
  const startedMs = performance.now();
  return {
    isWhole: false,
    order: shuffled,
    isTimeLeft: (share = 1) => performance.now() - startedMs < seconds * 1_000 * share,
  };
}

function shuffled<T>(cases: readonly T[]): readonly T[] {
  return cases
    .map((value) => ({ value, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}
