// Room for bodies: how many bytes are held in all and by each owner, so that nobody can fill the memory.
import { AppError } from "../core/errors.ts";

export interface Room {
  /** Throws AppError `unavailable` at once when there is no room. */
  take(owner: string, bytes: number): void;
  giveBack(owner: string, bytes: number): void;
}

const MIB = 1_048_576;
const RETRY_AFTER_S = 1;

/**
 * One owner gets half of it at most, so that it cannot keep the others out.
 * @param largest one body of this size always fits into an empty room
 */
export function createRoom(totalBytes: number, largest: number): Room {
  const most = Math.max(totalBytes, largest);
  const share = Math.max(Math.floor(totalBytes / 2), largest);
  const held = new Map<string, number>();
  let all = 0;

  return {
    take(owner, bytes) {
      const own = (held.get(owner) ?? 0) + bytes;
      if (all + bytes > most) throw full(`the bodies of requests under way fill ${inMiB(most)}`);
      if (own > share)
        throw full(`your requests under way fill ${inMiB(share)}, one caller's half`);
      all += bytes;
      held.set(owner, own);
    },
    giveBack(owner, bytes) {
      all -= bytes;
      const own = (held.get(owner) ?? 0) - bytes;
      if (own > 0) held.set(owner, own);
      else held.delete(owner);
    },
  };
}

function inMiB(bytes: number): string {
  return `${Math.round((bytes / MIB) * 10) / 10} MiB`;
}

function full(why: string): AppError {
  const message = `${why} (MAX_BODIES_MB); try again shortly`;
  return new AppError("unavailable", message, { retryAfterS: RETRY_AFTER_S });
}
