// Remembers for a moment what was just read, so that a burst of requests costs one query.

export interface ShortCacheOptions<T> {
  readonly load: (key: string) => Promise<T | undefined>;
  /** An answer is used at most this long, counted from before its load. Default 1,000. */
  readonly ttlMs?: number;
  /** Monotonic ms. */
  readonly clockMs?: () => number;
}

interface Entry<T> {
  readonly value: Promise<T | undefined>;
  usableUntil: number;
}

const MAX_ENTRIES = 10_000;

/** The same `load` behind its memory. */
export interface ShortCache<T> {
  (key: string): Promise<T | undefined>;
  /** The next call loads it anew. */
  forget(key: string): void;
}

/**
 * A `load` that is asked at most once per key and ttl, concurrent callers included.
 * What was not found and what failed is not remembered: it may exist by the next call.
 */
export function createShortCache<T>(options: ShortCacheOptions<T>): ShortCache<T> {
  const { load, ttlMs = 1_000, clockMs = () => performance.now() } = options;
  const entries = new Map<string, Entry<T>>();

  function forget(key: string, entry: Entry<T>): void {
    if (entries.get(key) === entry) entries.delete(key);
  }

  function remember(key: string): Promise<T | undefined> {
    const usableUntil = clockMs() + ttlMs;
    const entry: Entry<T> = { value: load(key), usableUntil: Number.POSITIVE_INFINITY };
    entries.set(key, entry);
    dropOldest(entries);
    entry.value.then(
      (found) => {
        entry.usableUntil = usableUntil;
        if (found === undefined) forget(key, entry);
      },
      () => forget(key, entry),
    );
    return entry.value;
  }

  function find(key: string): Promise<T | undefined> {
    const entry = entries.get(key);
    if (entry !== undefined && clockMs() < entry.usableUntil) return entry.value;
    entries.delete(key);
    return remember(key);
  }

  return Object.assign(find, {
    forget(key: string): void {
      entries.delete(key);
    },
  });
}

function dropOldest(entries: Map<string, unknown>): void {
  if (entries.size <= MAX_ENTRIES) return;
  const [oldest] = entries.keys();
  if (oldest !== undefined) entries.delete(oldest);
}
