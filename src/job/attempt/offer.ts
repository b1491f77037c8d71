// Offers an attempt to a job worker and hears how it ends there; takes it back from one that is busy.
import type { JobHost } from "../host/job-host.ts";
import type { AttemptOrder, Death, FromJobWorker, JobEnd } from "../wire/protocol.ts";

/** How the attempt ended without being stopped from outside. */
export type OwnEnd = JobEnd | ({ readonly kind: "crashed" } & Death);

/** An exit may overtake the message that the attempt has ended. */
const LATE_MESSAGE_MS = 50;

export interface Offer {
  readonly ownEnd: Promise<OwnEnd>;
  /** After the end: true once nothing of the attempt keeps the thread busy, false when it crashed since. */
  readonly idle: Promise<boolean>;
  /** Settles when it was not accepted (in time) and has been taken back: no line of the job ran for it. */
  readonly notAccepted: Promise<{ readonly kind: "not-accepted" }>;
  /** Takes the attempt back; false when it was accepted. */
  withdraw(): Promise<boolean>;
}

/**
 * Puts the attempt on offer. Acceptance is one compare-and-swap in the job worker's memory, on either side, so that an
 * attempt taken back from a busy job worker never starts there, and can be given to another one.
 */
export function offerAttempt(host: JobHost, order: AttemptOrder, acceptWithinMs: number): Offer {
  const ownEnd = Promise.withResolvers<OwnEnd>();
  const idle = Promise.withResolvers<boolean>();
  const notAccepted = Promise.withResolvers<{ readonly kind: "not-accepted" }>();

  const giveUp = async () => {
    const isOurs = await host.withdraw(order.id);
    if (isOurs) notAccepted.resolve({ kind: "not-accepted" });
    return isOurs;
  };
  const timer = setTimeout(() => {
    giveUp().catch(() => undefined);
  }, acceptWithinMs);
  const end = (how: OwnEnd) => {
    clearTimeout(timer);
    ownEnd.resolve(how);
  };
  /** Before the attempt was accepted it is something else's crash, and costs this attempt nothing. */
  const crash = async (how: OwnEnd) => {
    idle.resolve(false);
    if (await giveUp()) clearTimeout(timer);
    else if (await host.hasEnded(order.id)) setTimeout(() => end(how), LATE_MESSAGE_MS);
    else end(how);
  };
  let hasCrashed = false;
  /** The first word counts: it has the cause, and the exit that follows it overtakes it now and then. */
  const hearCrash = (death: Death) => {
    if (hasCrashed) return;
    hasCrashed = true;
    const how = { ...death, kind: "crashed" } as const;
    crash(how).catch(() => end(how));
  };

  // First: of one that is dead already it is heard at once, and then there must be something to take back.
  host.offer(order);
  host.listen({
    message: (message) => {
      if (isOfAnother(message, order.id)) return;
      if (message.kind === "ended") end(message.end);
      if (message.kind === "crashed") hearCrash(message);
      if (message.kind === "idle") idle.resolve(true);
    },
    death: hearCrash,
  });
  return {
    ownEnd: ownEnd.promise,
    idle: idle.promise,
    notAccepted: notAccepted.promise,
    withdraw: () => host.withdraw(order.id),
  };
}

function isOfAnother(message: FromJobWorker, id: number): boolean {
  return "id" in message && message.id !== id;
}
