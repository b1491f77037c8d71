// Which keys hold secrets: their values are shown nowhere.

/** In any case, anywhere in the key. */
export const SECRET_KEY = /password|secret|token|authorization|cookie/i;
export const MASK = "[masked]";

/** Also what a job says itself is secret, in any case, anywhere in a key. */
export function secretKeys(own: readonly string[]): RegExp {
  if (own.length === 0) return SECRET_KEY;
  return new RegExp([SECRET_KEY.source, ...own.map((part) => RegExp.escape(part))].join("|"), "i");
}
