// What is written of a running attempt now and then: where it was seen, for when nobody can be asked.
import type { Excerpt, LiveView } from "./attempt.ts";

export interface Checkpoint {
  readonly attemptId: number;
  readonly view: LiveView;
  /** The lines around its frames, as they ran; absent where nobody knows them. */
  readonly excerpts?: readonly Excerpt[];
}

/** A checkpoint as it is read. */
export interface WrittenCheckpoint {
  readonly view: LiveView;
  readonly excerpts: readonly Excerpt[];
  /** Epoch ms. */
  readonly writtenAt: number;
  /** By the database's clock, at the reading. */
  readonly ageMs: number;
}
