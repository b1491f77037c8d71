// Gives out the places for event streams: one application gets at most half of them, and a ticket one.
import { AppError } from "../core/errors.ts";

export interface StreamHolder {
  readonly applicationId: number;
  /** Null: the request was signed. */
  readonly ticket: string | null;
}

export interface StreamPlaces {
  /** Takes a place; the returned function gives it back. Throws AppError `unavailable`. */
  take(holder: StreamHolder): () => void;
}

const RETRY_AFTER_S = 5;

export function createStreamPlaces(most: number): StreamPlaces {
  const share = Math.max(1, Math.floor(most / 2));
  const byApplication = new Map<number, number>();
  const tickets = new Set<string>();
  let open = 0;

  function refuseOneTooMany({ applicationId, ticket }: StreamHolder): void {
    const own = byApplication.get(applicationId) ?? 0;
    if (ticket !== null && tickets.has(ticket)) {
      throw refusal("this ticket has its stream already, and opens one at a time; get another one");
    }
    if (own >= share) {
      throw refusal(`your application has ${own} of its ${share} streams in this process open`);
    }
    if (open >= most) throw refusal(`${open} of ${most} streams of this process are open`);
  }

  return {
    take(holder) {
      refuseOneTooMany(holder);
      const { applicationId, ticket } = holder;
      const count = (by: 1 | -1) => {
        open += by;
        const own = (byApplication.get(applicationId) ?? 0) + by;
        if (own > 0) byApplication.set(applicationId, own);
        else byApplication.delete(applicationId);
      };
      count(1);
      if (ticket !== null) tickets.add(ticket);
      return () => {
        count(-1);
        if (ticket !== null) tickets.delete(ticket);
      };
    },
  };
}

/** A stream that cannot be opened now. */
export function refusal(why: string): AppError {
  return new AppError("unavailable", `${why}; try again shortly`, { retryAfterS: RETRY_AFTER_S });
}
