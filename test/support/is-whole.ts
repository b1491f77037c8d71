// Tells whether a value has halves of characters in it, which no reader of UTF-8 can be given.

/** Of all texts and keys in it. */
export function isWhole(value: unknown): boolean {
  let is = true;
  JSON.stringify(value, (key, each: unknown) => {
    is &&= key.isWellFormed() && (typeof each !== "string" || each.isWellFormed());
    return each;
  });
  return is;
}
