// Hands an iterable on to a `for await` or `yield*`, and says when each of its steps begins and ends.

const { apply } = Reflect;
const { iterator: SYNC, asyncIterator: ASYNC } = Symbol;

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Gettable = Readonly<Record<PropertyKey, unknown>>;

interface Hooks {
  /** Before each step: puts the frame back where a suspension took it from. */
  readonly before: () => unknown;
  /** When a step's call has come back; that of an async iterator has only begun then. */
  readonly after: () => unknown;
}

/**
 * For `for await`, and for `yield*` of async generators. The engine asks the given iterable just as it would have,
 * in the same order and as often; what is no iterable is given back, so that the engine says so in its own words.
 */
export function iterateWatched(iterable: unknown, before: () => unknown, after: () => unknown) {
  const hooks = { before, after };
  if (iterable === null || iterable === undefined) return iterable;
  const method = (iterable as Gettable)[ASYNC];
  if (method !== null && method !== undefined)
    return watched(iterable, { key: ASYNC, method, hooks });
  return watched(iterable, { key: SYNC, method: (iterable as Gettable)[SYNC], hooks });
}

/** For `yield*` of other generators. */
export function iterateSyncWatched(iterable: unknown, before: () => unknown, after: () => unknown) {
  if (iterable === null || iterable === undefined) return iterable;
  const method = (iterable as Gettable)[SYNC];
  return watched(iterable, { key: SYNC, method, hooks: { before, after } });
}

interface Asked {
  readonly key: symbol;
  readonly method: unknown;
  readonly hooks: Hooks;
}

function watched(iterable: unknown, { key, method, hooks }: Asked): unknown {
  if (typeof method !== "function") return iterable;
  return {
    [key]: () => {
      const iterator: unknown = apply(method as Method, iterable, []);
      return isObject(iterator) ? watchedIterator(iterator, hooks) : iterator;
    },
  };
}

function watchedIterator(iterator: Gettable, hooks: Hooks) {
  const { next } = iterator;
  const step = (method: unknown) => {
    if (typeof method !== "function") return method;
    return (...args: unknown[]): unknown => {
      hooks.before();
      try {
        return apply(method as Method, iterator, args);
      } finally {
        hooks.after();
      }
    };
  };
  return {
    next: step(next),
    get return() {
      return step(iterator["return"]);
    },
    get throw() {
      return step(iterator["throw"]);
    },
  };
}

function isObject(value: unknown): value is Gettable {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
