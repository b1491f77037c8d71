// The port of the queue: doorbells that say "work is due in this lane". Losing one costs only latency.
import type { Lane } from "../core/task.ts";

/** One ring. `taskId` is for logs only; nobody looks the task up by it. */
export interface Doorbell {
  readonly lane: Lane;
  /** In how many ms work is due, seen from the moment of ringing; 0: now. */
  readonly dueInMs: number;
  readonly taskId?: number;
}

/** A consumer's subscription to the bells of its lane. */
export interface DoorbellListener {
  /** No free slot: bells are left to other consumers; what was pushed already is handed back. */
  pause(): void;
  resume(): void;
  /** Ends listening; settles when nothing more will be heard. */
  close(): Promise<void>;
}

export interface Queue {
  /**
   * Rings once for the lane. Rejects when the ring may have been lost; callers log and go on.
   * @example await queue.ring({ lane: "job", dueInMs: 0, taskId: 81 })
   */
  ring(bell: Doorbell): Promise<void>;
  /** Hears bells of one lane; each ring reaches one listener of all processes. Reconnects by itself. */
  listen(lane: Lane, hear: (bell: Doorbell) => void): Promise<DoorbellListener>;
  /** `down` names what is away; the platform goes on without. */
  health(): QueueHealth;
  close(): Promise<void>;
}

export type QueueHealth =
  | { readonly state: "up" }
  | { readonly state: "down"; readonly why: string };
