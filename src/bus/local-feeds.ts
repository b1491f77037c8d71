// Feeds without a server: the executor keeps the newest events and sends them over the links to those that follow.
import type { Link } from "../core/link.ts";
import type { TraceEvent } from "../core/views/trace-event.ts";
import { within } from "../core/within.ts";
import type { Feed, FeedPart, Follower } from "./bus.ts";
import { type Fields, readEventList } from "./live-messages.ts";

const MOST_KEPT = 1_000;
const KEPT_AFTER_END_MS = 60_000;
/** A follower that does not read gets this far behind; then the oldest are dropped, and it sees the hole. */
const MOST_UNREAD = 2_000;

export type FeedEnvelope =
  | {
      readonly to: "bus";
      readonly kind: "follow";
      readonly id: number;
      readonly name: string;
      readonly afterSeq: number;
    }
  | { readonly to: "bus"; readonly kind: "unfollow"; readonly id: number; readonly name: string }
  | {
      readonly to: "bus";
      readonly kind: "fed";
      readonly id: number;
      readonly events: readonly TraceEvent[];
      readonly isEnded: boolean;
    };

/** Gets what is new; `link` and `id` name it when it is on the other end of a link. */
interface Listener {
  lastSeq: number;
  readonly deliver: (events: readonly TraceEvent[], isEnded: boolean) => void;
}

interface KeptFeed {
  events: TraceEvent[];
  isEnded: boolean;
  readonly listeners: Map<string, Listener>;
}

export interface LocalFeeds {
  openFeed(name: string): Feed;
  follow(name: string, afterSeq: number): Follower;
  /** A message of the bus that may be about feeds. */
  hear(link: Link, message: Fields): void;
  close(): void;
}

export function createLocalFeeds(links: readonly Link[]): LocalFeeds {
  const feeds = new Map<string, KeptFeed>();
  const followers = new Map<number, Inbox>();
  const linkIds = new Map(links.map((link, index) => [link, index]));
  let lastId = 0;

  function feedNamed(name: string): KeptFeed {
    const known = feeds.get(name);
    if (known !== undefined) return known;
    const feed: KeptFeed = { events: [], isEnded: false, listeners: new Map() };
    feeds.set(name, feed);
    return feed;
  }

  function listen(name: string, key: string, listener: Listener): void {
    const feed = feedNamed(name);
    feed.listeners.set(key, listener);
    if (feed.events.length > 0 || feed.isEnded) deliver(feed, listener);
  }

  function unlisten(name: string, key: string): void {
    const feed = feeds.get(name);
    feed?.listeners.delete(key);
    if (feed?.listeners.size === 0 && feed.events.length === 0 && !feed.isEnded) feeds.delete(name);
  }

  function openFeed(name: string): Feed {
    return {
      append(events) {
        const feed = feedNamed(name);
        const last = feed.events.at(-1)?.seq ?? 0;
        feed.events.push(...events.filter(({ seq }) => seq > last));
        feed.events.splice(0, feed.events.length - MOST_KEPT);
        for (const listener of feed.listeners.values()) deliver(feed, listener);
      },
      end() {
        const feed = feedNamed(name);
        feed.isEnded = true;
        for (const listener of feed.listeners.values()) deliver(feed, listener);
        setTimeout(() => feeds.delete(name), KEPT_AFTER_END_MS).unref();
      },
    };
  }

  function follow(name: string, afterSeq: number): Follower {
    lastId += 1;
    const id = lastId;
    const inbox = createInbox();
    followers.set(id, inbox);
    listen(name, `own/${id}`, { lastSeq: afterSeq, deliver: inbox.put });
    for (const link of links) link.send({ to: "bus", kind: "follow", id, name, afterSeq });
    return {
      read: inbox.read,
      close() {
        if (!followers.delete(id)) return;
        inbox.close();
        unlisten(name, `own/${id}`);
        for (const link of links) link.send({ to: "bus", kind: "unfollow", id, name });
      },
    };
  }

  function hear(link: Link, { kind, id, name, afterSeq, events, isEnded }: Fields): void {
    if (typeof id !== "number") return;
    const key = `${linkIds.get(link)}/${id}`;
    if (kind === "fed") followers.get(id)?.put(readEventList(events), isEnded === true);
    if (typeof name !== "string") return;
    if (kind === "unfollow") unlisten(name, key);
    if (kind !== "follow") return;
    const send: Listener["deliver"] = (fed, ended) =>
      link.send({ to: "bus", kind: "fed", id, events: fed, isEnded: ended } satisfies FeedEnvelope);
    listen(name, key, { lastSeq: Number(afterSeq) || 0, deliver: send });
  }

  return {
    openFeed,
    follow,
    hear,
    close() {
      for (const inbox of followers.values()) inbox.close();
      followers.clear();
      feeds.clear();
    },
  };
}

function deliver(feed: KeptFeed, listener: Listener): void {
  const fresh = feed.events.filter(({ seq }) => seq > listener.lastSeq);
  listener.lastSeq = fresh.at(-1)?.seq ?? listener.lastSeq;
  if (fresh.length > 0 || feed.isEnded) listener.deliver(fresh, feed.isEnded);
}

interface Inbox {
  put(events: readonly TraceEvent[], isEnded: boolean): void;
  read(waitMs: number): Promise<FeedPart>;
  close(): void;
}

/** Keeps what came until it is read. */
function createInbox(): Inbox {
  let unread: TraceEvent[] = [];
  let isEnded = false;
  let isClosed = false;
  let wake: (() => void) | null = null;

  function take(): FeedPart | undefined {
    if (isClosed) return { kind: "away" };
    if (unread.length > 0) {
      const events = unread;
      unread = [];
      return { kind: "events", events };
    }
    return isEnded ? { kind: "ended" } : undefined;
  }

  return {
    put(events, ended) {
      unread.push(...events);
      unread.splice(0, unread.length - MOST_UNREAD);
      isEnded ||= ended;
      wake?.();
    },
    async read(waitMs) {
      const ready = take();
      if (ready !== undefined) return ready;
      const woken = Promise.withResolvers<void>();
      wake = woken.resolve;
      await within(woken.promise, waitMs);
      wake = null;
      return take() ?? { kind: "quiet" };
    },
    close() {
      isClosed = true;
      wake?.();
    },
  };
}
