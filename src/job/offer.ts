// Offers an attempt to a job worker and hears how it ends there; takes it back from one that is busy.
import type { AttemptError } from "../core/attempt.ts";
import type { JobHost } from "./job-host.ts";
import type { AttemptOrder, FromJobWorker, JobEnd } from "./protocol.ts";
import { clearAttempt, PHASES, type SharedMemory, WORDS } from "./shared-memory.ts";

/** How the attempt ended without being stopped from outside. */
export type OwnEnd = JobEnd | { readonly kind: "crashed"; readonly error: AttemptError };

/** An exit may overtake the message that the attempt has ended. */
const LATE_MESSAGE_MS = 50;

export interface Offer {
  readonly ownEnd: Promise<OwnEnd>;
  /** After the end: true once nothing of the attempt keeps the thread busy, false when it crashed since. */
  readonly idle: Promise<boolean>;
  /** Settles when it was not accepted (in time) and has been taken back: no line of the job ran for it. */
  readonly notAccepted: Promise<{ readonly kind: "not-accepted" }>;
  /** Takes the attempt back; false when it was accepted. */
  withdraw(): boolean;
  /** True when the job worker says that the attempt has ended, even before the message with its end is here. */
  hasEnded(): boolean;
}

/**
 * Puts the attempt on offer in shared memory and sends the order. Acceptance is one compare-and-swap, on either side,
 * so that an attempt taken back from a busy job worker never starts there, and can be given to another one.
 */
export function offerAttempt(host: JobHost, order: AttemptOrder, acceptWithinMs: number): Offer {
  const { memory } = host;
  const ownEnd = Promise.withResolvers<OwnEnd>();
  const idle = Promise.withResolvers<boolean>();
  const notAccepted = Promise.withResolvers<{ readonly kind: "not-accepted" }>();

  const withdraw = () => takeBack(memory);
  const hasEnded = () => Atomics.load(memory.words, WORDS.phase) === PHASES.ended;
  const giveUp = () => withdraw() && notAccepted.resolve({ kind: "not-accepted" });
  const timer = setTimeout(giveUp, acceptWithinMs);
  const end = (how: OwnEnd) => {
    clearTimeout(timer);
    ownEnd.resolve(how);
  };
  /** Before the attempt was accepted it is something else's crash, and costs this attempt nothing. */
  const crash = (error: AttemptError) => {
    idle.resolve(false);
    if (giveUp() !== false) clearTimeout(timer);
    else if (hasEnded()) setTimeout(() => end({ kind: "crashed", error }), LATE_MESSAGE_MS);
    else end({ kind: "crashed", error });
  };

  host.listen({
    message: (message) => {
      if (isOfAnother(message, order.id)) return;
      if (message.kind === "ended") end(message.end);
      if (message.kind === "crashed") crash(message.error);
      if (message.kind === "idle") idle.resolve(true);
    },
    death: ({ error }) => crash(error),
  });
  putOnOffer(memory, order.id);
  host.post(order);
  return {
    ownEnd: ownEnd.promise,
    idle: idle.promise,
    notAccepted: notAccepted.promise,
    withdraw,
    hasEnded,
  };
}

function isOfAnother(message: FromJobWorker, id: number): boolean {
  return "id" in message && message.id !== id;
}

function putOnOffer(memory: SharedMemory, id: number): void {
  clearAttempt(memory);
  Atomics.store(memory.words, WORDS.attempt, id);
  Atomics.store(memory.words, WORDS.phase, PHASES.offered);
}

function takeBack({ words }: SharedMemory): boolean {
  const { offered, idle } = PHASES;
  return Atomics.compareExchange(words, WORDS.phase, offered, idle) === offered;
}
