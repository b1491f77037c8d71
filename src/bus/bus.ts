// The port of the bus: questions from api processes to the executor that owns a running attempt.
import type { LiveAnswer, LiveQuestion } from "../core/live.ts";

/** Answers questions; must not throw (an error is answered as `unknown` and logged). */
export type AnswerLive = (question: LiveQuestion) => Promise<LiveAnswer>;

export interface Bus {
  /**
   * Asks the executor `serviceId`. `undefined` when nobody answered in time or the bus is away: callers fall back
   * on the store, never fail because of it.
   */
  ask(
    serviceId: string,
    question: LiveQuestion,
    timeoutMs: number,
  ): Promise<LiveAnswer | undefined>;
  /** Answers what is asked of `serviceId`; the answer of this call ends serving. */
  serve(serviceId: string, answer: AnswerLive): Promise<() => Promise<void>>;
  health(): BusHealth;
  close(): Promise<void>;
}

export type BusHealth = { readonly state: "up" } | { readonly state: "down"; readonly why: string };
