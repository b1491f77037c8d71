// An attempt on offer in shared memory: acceptance and taking back are one compare-and-swap, on either side.
import { clearAttempt, PHASES, SHARED_WORDS, type SharedMemory } from "./shared-memory.ts";

export function putOnOffer(memory: SharedMemory, id: number): void {
  clearAttempt(memory);
  Atomics.store(memory.words, SHARED_WORDS.attempt, id);
  Atomics.store(memory.words, SHARED_WORDS.phase, PHASES.offered);
}

/** False when it was accepted, or another one is on offer since: only the owner of both makes offers. */
export function takeBack({ words }: SharedMemory, id: number): boolean {
  const { offered, idle } = PHASES;
  if (Atomics.load(words, SHARED_WORDS.attempt) !== id) return false;
  return Atomics.compareExchange(words, SHARED_WORDS.phase, offered, idle) === offered;
}

/** False while what is noted may be of the attempt before. */
export function isBegun({ words }: SharedMemory): boolean {
  const phase = Atomics.load(words, SHARED_WORDS.phase);
  return phase === PHASES.running || phase === PHASES.ended;
}

/** True from the start until the first offer: all that is noted is of the import of its job. */
export function isUnoffered({ words }: SharedMemory): boolean {
  return Atomics.load(words, SHARED_WORDS.attempt) === 0;
}

export function isEnded({ words }: SharedMemory, id: number): boolean {
  if (Atomics.load(words, SHARED_WORDS.attempt) !== id) return false;
  return Atomics.load(words, SHARED_WORDS.phase) === PHASES.ended;
}
