// Pings to a job worker: only an event loop with nothing to do right now answers them.
import { within } from "../../core/within.ts";

export interface Pings {
  /** Sends a ping; true when its answer came in time. */
  ask(send: (ping: number) => void, withinMs: number): Promise<boolean>;
  answered(ping: number): void;
}

/** Numbers the pings of one job worker, so that a late answer is not taken for a newer one's. */
export function createPings(): Pings {
  const open = new Map<number, (isAlive: true) => void>();
  let last = 0;
  return {
    async ask(send, withinMs) {
      last += 1;
      const ping = last;
      const { promise, resolve } = Promise.withResolvers<true>();
      open.set(ping, resolve);
      send(ping);
      const isAnswered = await within(promise, withinMs);
      open.delete(ping);
      return isAnswered ?? false;
    },
    answered: (ping) => open.get(ping)?.(true),
  };
}
