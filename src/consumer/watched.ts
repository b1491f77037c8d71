// Reads what watched attempts say and hands it on; without a watcher it does nothing at all.
import { messageOf } from "../core/errors.ts";
import { feedOf, WATCH_MS } from "../core/live.ts";
import type { Logger } from "../core/logger.ts";
import { shiftEvents } from "../core/shift-times.ts";
import { eventsAfter } from "../core/trace-events.ts";
import type { TraceEvent } from "../core/views/trace-event.ts";
import type { OwnedAttempt } from "./attempt-table.ts";

/** What a watched attempt has said since the last time, and whether that was all. */
export interface FeedNews {
  /** The name of its feed. */
  readonly feed: string;
  readonly events: readonly TraceEvent[];
  readonly isEnded: boolean;
}

export interface WatchDeps {
  readonly publish: (news: FeedNews) => void;
  readonly logger: Logger;
}

export interface Watches {
  /** Somebody watches this attempt for the next while; a new watcher has its events up to `afterSeq`. */
  renew(owned: OwnedAttempt, afterSeq: number | undefined): void;
  close(): void;
}

const READ_EVERY_MS = 80;

interface Watch {
  readonly owned: OwnedAttempt;
  lastSeq: number;
  untilMs: number;
}

export function createWatches({ publish, logger }: WatchDeps): Watches {
  const watches = new Map<string, Watch>();
  let timer: ReturnType<typeof setInterval> | undefined;

  function renew(owned: OwnedAttempt, afterSeq: number | undefined): void {
    const feed = feedOf(owned.lease);
    const watch = watches.get(feed) ?? { owned, lastSeq: afterSeq ?? 0, untilMs: 0 };
    // The feed may have lost what it was given before: it ignores what it still has.
    watch.lastSeq = Math.min(watch.lastSeq, afterSeq ?? watch.lastSeq);
    watch.untilMs = performance.now() + WATCH_MS;
    watches.set(feed, watch);
    timer ??= setInterval(readAll, READ_EVERY_MS);
    readSafely(feed, watch);
  }

  function readAll(): void {
    for (const [feed, watch] of watches) readSafely(feed, watch);
    if (watches.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  /** A trace that cannot be read must cost the attempt nothing. */
  function readSafely(feed: string, watch: Watch): void {
    try {
      read(feed, watch);
    } catch (thrown) {
      watches.delete(feed);
      logger.warn({ feed, error: messageOf(thrown) }, "an attempt's events could not be read");
    }
  }

  function read(feed: string, watch: Watch): void {
    const { owned } = watch;
    const isWatched = watch.untilMs > performance.now();
    const events = isWatched ? eventsOf(owned, watch.lastSeq) : [];
    watch.lastSeq = events.at(-1)?.seq ?? watch.lastSeq;
    if (owned.written) watches.delete(feed);
    if (events.length > 0 || owned.written) publish({ feed, events, isEnded: owned.written });
  }

  return {
    renew,
    close() {
      clearInterval(timer);
      watches.clear();
    },
  };
}

function eventsOf(owned: OwnedAttempt, seq: number): readonly TraceEvent[] {
  const { end, running, clockOffsetMs } = owned;
  const said =
    end?.trace !== undefined ? eventsAfter(end.trace.events, seq) : running.eventsAfter?.(seq);
  return shiftEvents(said ?? [], clockOffsetMs);
}
