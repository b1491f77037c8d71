// The names that instrumented code calls and declares; a source that already has one of them is left alone.

const PREFIX = "__sj";

/** Functions of the runtime, as properties of `globalThis`. Short, because they are written into every function. */
export const CALLS = {
  enter: `${PREFIX}E`,
  store: `${PREFIX}A`,
  leave: `${PREFIX}L`,
  caught: `${PREFIX}B`,
  first: `${PREFIX}K`,
  stop: `${PREFIX}S`,
  stopBig: `${PREFIX}Q`,
  giveUp: `${PREFIX}P`,
  reenter: `${PREFIX}R`,
  open: `${PREFIX}N`,
  storeOpen: `${PREFIX}O`,
  park: `${PREFIX}X`,
  resume: `${PREFIX}C`,
  regain: `${PREFIX}T`,
  close: `${PREFIX}F`,
  iterate: `${PREFIX}I`,
  iterateSync: `${PREFIX}J`,
  atDispose: `${PREFIX}U`,
} as const;

/** Variables of an instrumented function: its depth (0 while it is suspended), or its handle if it awaits. */
export const DEPTH = `${PREFIX}d`;
export const HANDLE = `${PREFIX}h`;
/** Begins the names of the resources that note an implicit await. */
export const RESOURCE = `${PREFIX}u`;

/** True when the source says something that could be one of our names. */
export function hasOurNames(source: string): boolean {
  return source.includes(PREFIX);
}
