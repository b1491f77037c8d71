// The port of the bus: questions from api processes to the executor that owns a running attempt, and its events back.
import type { LiveAnswer, LiveQuestion } from "../core/live.ts";
import type { TraceEvent } from "../core/views/trace-event.ts";

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
  /** Answers what is asked of `serviceId`; the returned function ends serving. */
  serve(serviceId: string, answer: AnswerLive): Promise<() => Promise<void>>;
  /**
   * Opens the feed of one attempt's events; by the executor that owns it, while somebody watches. Opening costs
   * nothing, and opening it again goes on with the same feed.
   * @example bus.openFeed("81-3").append(events)
   */
  openFeed(name: string): Feed;
  /** Follows a feed, also one that is opened later. Close it: a follower may hold a connection. */
  follow(name: string, afterSeq: number): Follower;
  health(): BusHealth;
  close(): Promise<void>;
}

/** Where events go. Nothing here rejects; what cannot be delivered is dropped, and its followers see the hole. */
export interface Feed {
  /** Events in their order; those not newer than the last one there are ignored. The newest 1,000 are kept. */
  append(events: readonly TraceEvent[]): void;
  /** Nothing follows; what is there is kept for a minute. */
  end(): void;
}

export interface Follower {
  /**
   * The next events, waiting for them up to `waitMs`. `quiet`: none came. `ended`: the feed has ended and all was
   * read. `away`: the bus is gone and this follower with it. One call at a time; never rejects.
   */
  read(waitMs: number): Promise<FeedPart>;
  close(): void;
}

export type FeedPart =
  | { readonly kind: "events"; readonly events: readonly TraceEvent[] }
  | { readonly kind: "quiet" | "ended" | "away" };

export type BusHealth = { readonly state: "up" } | { readonly state: "down"; readonly why: string };
