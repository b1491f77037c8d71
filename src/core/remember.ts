// Remembers what was worked out, up to a bound: a memory that is full forgets everything.

/** A map that is emptied before a key would be one too many: to know what was used last costs more than it saves. */
export class ClearedWhenFull<K, V> extends Map<K, V> {
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  override set(key: K, value: V): this {
    if (this.size >= this.#most && !this.has(key)) this.clear();
    return super.set(key, value);
  }
}

/** The same `load` behind its memory. */
export interface Remembered<K, V, Given = void> {
  (key: K, given: Given): V;
  forgetAll(): void;
}

/**
 * A `load` that is called once for each of at most `most` keys at a time. `given` is what it needs besides the key, and
 * makes no other key. What it throws is not remembered.
 */
export function remember<K, V extends NonNullable<unknown>, Given = void>(
  load: (key: K, given: Given) => V,
  most: number,
): Remembered<K, V, Given> {
  const known = new ClearedWhenFull<K, V>(most);

  function find(key: K, given: Given): V {
    const found = known.get(key);
    if (found !== undefined) return found;
    const loaded = load(key, given);
    known.set(key, loaded);
    return loaded;
  }

  return Object.assign(find, { forgetAll: () => known.clear() });
}
