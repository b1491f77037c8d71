// Chooses the attempt that filled the executor's memory, among those on its threads, and says how sure the choice is.
import type { MemorySuspect } from "../core/attempt.ts";

/** How the executor came to use too much memory. */
export interface MemoryPressure {
  readonly limitMb: number;
  /** Oldest first; the last one is of now. Never empty. */
  readonly looks: readonly MemoryLook[];
}

/** The executor's memory at one moment. */
export interface MemoryLook {
  /** Epoch ms: threads share no other clock. */
  readonly at: number;
  readonly rssMb: number;
  /** How much memory ever came into being for each thread, by its system id; empty where that is not known. */
  readonly filledMb: ReadonlyMap<number, number>;
}

/** Looks this near to the lowest, as a share of the limit, count as equally low. */
const LOW_SHARE = 0.05;
/** An attempt with this share of the growth is likely to blame. */
const LIKELY_SHARE = 0.5;
/** Likely only if the next one has not half as much. */
const LEAD = 2;
const BYTES_PER_MB = 1_048_576;

export interface Suspicion<S> {
  readonly suspect: S;
  /** Begins with `certain`, `likely` or `a guess`. */
  readonly why: string;
}

interface Weighed<S> {
  readonly suspect: S;
  /** Of the memory that grew, what came into being for its thread while it ran; null where that is not known. */
  readonly filledMb: number | null;
  /** The same as far as its heap still holds it; only of job workers that could be asked. */
  readonly heldMb: number | null;
}

/** The best evidence there is: nobody else; what it holds; what it filled; its last known heap; its youth. */
export function chooseSuspect<S extends MemorySuspect>(
  running: readonly S[],
  { looks, limitMb }: MemoryPressure,
): Suspicion<S> | undefined {
  const now = looks.at(-1);
  const [only, second] = running;
  if (only === undefined || now === undefined) return;
  const start = growthBegan(looks, limitMb);
  const grownMb = now.rssMb - (looks[start]?.rssMb ?? 0);
  const weighed = running.map((suspect) => weigh(suspect, looks, start));
  if (second === undefined) return soleSuspect(only, weighed[0]?.filledMb ?? null, grownMb);
  return (
    byHeld(weighed, grownMb) ??
    byFilled(weighed, grownMb) ??
    byLastHeap(running) ??
    byYouth(running, only)
  );
}

/** The last look at which the memory was as low as it ever was. */
export function growthBegan(looks: readonly MemoryLook[], limitMb: number): number {
  const lowestMb = Math.min(...looks.map(({ rssMb }) => rssMb));
  return looks.findLastIndex(({ rssMb }) => rssMb <= lowestMb + limitMb * LOW_SHARE);
}

function weigh<S extends MemorySuspect>(
  suspect: S,
  looks: readonly MemoryLook[],
  start: number,
): Weighed<S> {
  const filledMb = filledBy(suspect, looks, start);
  if (!suspect.hasAnswered || suspect.heapBytes === null) {
    return { suspect, filledMb, heldMb: null };
  }
  const heapMb = suspect.heapBytes / BYTES_PER_MB;
  return { suspect, filledMb, heldMb: Math.min(heapMb, filledMb ?? heapMb) };
}

/** Since the growth began, or since its own start if that is later: its thread had other attempts before. */
function filledBy(
  { threadId, startedMs }: MemorySuspect,
  looks: readonly MemoryLook[],
  start: number,
): number | null {
  const filledNow = threadId === null ? undefined : looks.at(-1)?.filledMb.get(threadId);
  if (threadId === null || filledNow === undefined) return null;
  const startedAt = Date.now() - (performance.now() - startedMs);
  const before = looks.findLastIndex(({ at }) => at <= startedAt);
  return filledNow - (looks[Math.max(start, before)]?.filledMb.get(threadId) ?? 0);
}

function soleSuspect<S>(suspect: S, filledMb: number | null, grownMb: number): Suspicion<S> {
  const only = "it was the only attempt on a thread";
  if (filledMb === null || filledMb >= grownMb * LIKELY_SHARE) {
    return { suspect, why: `certain: ${only}` };
  }
  const share = `${mb(filledMb)} of the ${mb(grownMb)} by which the memory grew`;
  return { suspect, why: `a guess: ${only}, but filled only ${share}` };
}

/** The job worker that answers and holds most of the growth is to blame; one that fills memory and lets go of it is not. */
function byHeld<S extends MemorySuspect>(
  weighed: readonly Weighed<S>[],
  grownMb: number,
): Suspicion<S> | undefined {
  const { suspect, heldMb } = largestHolder(weighed);
  if (suspect === undefined || grownMb <= 0 || heldMb < grownMb * LIKELY_SHARE) return;
  const why = `likely: its heap holds ${mb(heldMb)} of the ${mb(grownMb)} by which the memory grew`;
  return { suspect, why };
}

/** Of a job worker that answers, only what it holds counts; the others cannot be asked. */
function byFilled<S extends MemorySuspect>(
  weighed: readonly Weighed<S>[],
  grownMb: number,
): Suspicion<S> | undefined {
  const blamedMb = ({ heldMb, filledMb }: Weighed<S>) => heldMb ?? filledMb ?? 0;
  const [most, next] = weighed
    .filter(({ filledMb }) => filledMb !== null)
    .toSorted((a, b) => blamedMb(b) - blamedMb(a));
  if (most === undefined) return;
  const [mostMb, nextMb] = [blamedMb(most), next === undefined ? 0 : blamedMb(next)];
  const isLikely = mostMb >= grownMb * LIKELY_SHARE && mostMb >= nextMb * LEAD;
  if (!isLikely && most.heldMb === null) {
    const holder = byHeldMost(weighed, mostMb);
    if (holder !== undefined) return holder;
  }
  const facts = `its thread filled ${mb(mostMb)} while the memory grew by ${mb(grownMb)}, the next one ${mb(nextMb)}`;
  return { suspect: most.suspect, why: `${isLikely ? "likely" : "a guess"}: ${facts}` };
}

/** What is held is there; what a thread that cannot be asked filled may be gone again. */
function byHeldMost<S extends MemorySuspect>(
  weighed: readonly Weighed<S>[],
  filledMb: number,
): Suspicion<S> | undefined {
  const { suspect, heldMb } = largestHolder(weighed);
  if (suspect === undefined || heldMb < filledMb / LEAD) return;
  const why = `a guess: its heap holds ${mb(heldMb)}, and what another thread filled, ${mb(filledMb)}, it may have let go again`;
  return { suspect, why };
}

function largestHolder<S extends MemorySuspect>(weighed: readonly Weighed<S>[]) {
  const [most] = weighed.toSorted((a, b) => (b.heldMb ?? 0) - (a.heldMb ?? 0));
  return { suspect: most?.suspect, heldMb: most?.heldMb ?? 0 };
}

function byLastHeap<S extends MemorySuspect>(running: readonly S[]): Suspicion<S> | undefined {
  const [largest] = running.toSorted((a, b) => (b.heapBytes ?? -1) - (a.heapBytes ?? -1));
  if (largest === undefined || largest.heapBytes === null) return;
  const heap = mb(largest.heapBytes / BYTES_PER_MB);
  return { suspect: largest, why: `likely: its last known heap was the largest, ${heap}` };
}

function byYouth<S extends MemorySuspect>(running: readonly S[], first: S): Suspicion<S> {
  const [youngest = first] = running.toSorted((a, b) => b.startedMs - a.startedMs);
  const why = `a guess: it was the youngest of ${running.length} attempts, and nothing else is known`;
  return { suspect: youngest, why };
}

function mb(value: number): string {
  return `${Math.round(value)} MB`;
}
