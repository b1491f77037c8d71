// The queue without a server: bells travel over the links between a process and its threads.
import { AppError } from "../core/errors.ts";
import type { Link } from "../core/link.ts";
import type { Lane } from "../core/task.ts";
import { readDoorbell } from "./doorbell.ts";
import type { Doorbell, DoorbellListener, Queue } from "./queue.ts";

/** How a bell looks on a link, which carries other messages too. */
interface BellEnvelope {
  readonly to: "queue";
  readonly bell: Doorbell;
}

interface Subscription {
  readonly lane: Lane;
  readonly hear: (bell: Doorbell) => void;
  isPaused: boolean;
}

/** The earliest bell that rang while every subscription of its lane was paused; `dueAt` on the monotonic clock. */
interface MissedBell {
  readonly bell: Doorbell;
  readonly dueAt: number;
}

/**
 * A node of a tree of links: a bell goes to a subscription of this node, else on over all other links. Subscriptions of one lane must
 * therefore sit in one thread; nodes remember nothing of each other, so that any of them may die and come back.
 * @example createLocalQueue({ links: [parentProcess, jobThread, callbackThread] })
 */
export function createLocalQueue({ links }: { readonly links: readonly Link[] }): Queue {
  const subscriptions = new Set<Subscription>();
  const missed = new Map<Lane, MissedBell>();
  let isClosed = false;

  const route = (bell: Doorbell, from?: Link): void => {
    const ofLane = [...subscriptions].filter((subscription) => subscription.lane === bell.lane);
    const awake = ofLane.find((subscription) => !subscription.isPaused);
    if (awake !== undefined) deliver(awake, bell);
    else if (ofLane.length > 0) remember(bell);
    else forward(bell, from);
  };

  /** To the end of the line: subscriptions of a lane take turns. */
  const deliver = (subscription: Subscription, bell: Doorbell): void => {
    subscriptions.delete(subscription);
    subscriptions.add(subscription);
    subscription.hear(bell);
  };

  const forward = (bell: Doorbell, from?: Link): void => {
    const envelope: BellEnvelope = { to: "queue", bell };
    for (const link of links) if (link !== from) link.send(envelope);
  };

  const remember = (bell: Doorbell): void => {
    const dueAt = performance.now() + bell.dueInMs;
    const earlier = missed.get(bell.lane);
    if (earlier === undefined || dueAt < earlier.dueAt) missed.set(bell.lane, { bell, dueAt });
  };

  const recall = (lane: Lane): void => {
    const found = missed.get(lane);
    if (found === undefined) return;
    missed.delete(lane);
    ringSoon({ ...found.bell, dueInMs: Math.max(0, found.dueAt - performance.now()) });
  };

  // Never within the caller's own call: a caller that rings or resumes need not expect a bell before that returns.
  const ringSoon = (bell: Doorbell): void => queueMicrotask(() => route(bell));

  const listenerOf = (subscription: Subscription): DoorbellListener => ({
    pause: () => {
      subscription.isPaused = true;
    },
    resume: () => {
      subscription.isPaused = false;
      recall(subscription.lane);
    },
    close: async () => {
      subscriptions.delete(subscription);
    },
  });

  const unsubscribes = links.map((link) =>
    link.onMessage((message) => {
      const bell = bellIn(message);
      if (bell !== undefined) route(bell, link);
    }),
  );

  return {
    ring: async (bell) => {
      if (isClosed) throw new AppError("unavailable", "the queue is closed, the bell is lost");
      ringSoon(bell);
    },
    listen: async (lane, hear) => {
      const subscription: Subscription = { lane, hear, isPaused: false };
      subscriptions.add(subscription);
      return listenerOf(subscription);
    },
    health: () => ({ state: "up" }),
    close: async () => {
      isClosed = true;
      for (const unsubscribe of unsubscribes) unsubscribe();
      subscriptions.clear();
      missed.clear();
    },
  };
}

function bellIn(message: unknown): Doorbell | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  const { to, bell } = message as Partial<Record<keyof BellEnvelope, unknown>>;
  return to === "queue" ? readDoorbell(bell) : undefined;
}
