// Writes the stacks of an error, of its causes and of its inner errors within bounds: frames of own code last longest.
import { isInBundle } from "./bundle.ts";
import { cut } from "./cut-text.ts";
import { isErrorLike, property, textOf } from "./read-thrown.ts";

/** So many frames of own code are kept of the error itself, however long they are. */
const MOST_SURE_FRAMES = 20;
const MAX_STACK = 16_384;
const MAX_LINE = 400;
const MAX_HEADER = 1_000;
/** Characters for the frames of the error itself, and of each further one. */
const OWN_ROOM = 8_192;
const OTHER_ROOM = 1_600;
const MAX_CAUSES = 5;
const MAX_INNER = 5;
const FRAME_LINE = /^\s+at /;
/** Frames of ours and of Deno's inside tell a job's author nothing. */
const HIDDEN_PLACES = [...ownPlaces(), "ext:deno_", "ext:core/"];
/** What is built into the runtime has no line to look at, and every job runs under one frame of async_hooks. */
const BUILT_IN = /\((?:unknown|<anonymous>|native(?::\d+:\d+)?|node:async_hooks(?::\d+:\d+)?)\)$/;
const FOREIGN_PLACES = ["/node_modules/", "node:", "(native", "native:"];

/** What is said of an error above its frames. */
export interface NamedMessage {
  readonly name: string;
  readonly message: string;
}

export interface StackOptions {
  readonly nameAndMessage: (thrown: unknown) => NamedMessage;
  readonly inner: readonly unknown[];
}

/** The stack, under it those of the causes, and then those of the inner errors. */
export function stackText(thrown: unknown, { nameAndMessage, inner }: StackOptions): string {
  const shownInner = inner.slice(0, MAX_INNER);
  const parts = [
    oneStack(thrown, nameAndMessage(thrown), OWN_ROOM),
    ...causesOf(thrown).map(
      (cause) => `Caused by: ${oneStack(cause, nameAndMessage(cause), OTHER_ROOM)}`,
    ),
    ...shownInner.map(
      (each, place) =>
        `Inner error ${place + 1} of ${inner.length}: ${oneStack(each, nameAndMessage(each), OTHER_ROOM)}`,
    ),
  ];
  return cut(parts.join("\n"), MAX_STACK);
}

/** Each once: a chain may lead back into itself. */
function causesOf(thrown: unknown): unknown[] {
  const seen = new Set<unknown>([thrown]);
  let cause = property(thrown, "cause");
  while (cause !== undefined && cause !== null && !seen.has(cause) && seen.size <= MAX_CAUSES) {
    seen.add(cause);
    cause = property(cause, "cause");
  }
  return [...seen].slice(1);
}

function oneStack(thrown: unknown, { name, message }: NamedMessage, room: number): string {
  const frames = isErrorLike(thrown) ? fitting(framesOf(thrown), room) : [];
  return [headerOf(name, message), ...frames].join("\n");
}

/** The lines of a message are marked: some look like frames. */
function headerOf(name: string, message: string): string {
  const text = cut(message, MAX_HEADER).replaceAll("\n", "\n    | ");
  return text === "" ? name : `${name}: ${text}`;
}

/** What follows the message, which may hold anything and be longer than all frames. */
function framesOf(thrown: unknown): string[] {
  const stack = textOf(thrown, "stack") ?? "";
  const message = textOf(thrown, "message");
  const at = message === undefined ? -1 : stack.indexOf(message);
  const lines = stack.slice(at === -1 ? 0 : at + (message?.length ?? 0)).split("\n");
  return lines
    .filter((line) => FRAME_LINE.test(line) && !isHidden(line))
    .map((line) => cut(line, MAX_LINE));
}

function isHidden(line: string): boolean {
  return (
    isInBundle(line) || BUILT_IN.test(line) || HIDDEN_PLACES.some((place) => line.includes(place))
  );
}

function fitting(frames: readonly string[], room: number): string[] {
  const own = frames.filter((line) => !FOREIGN_PLACES.some((place) => line.includes(place)));
  const sure = new Set(own.slice(0, room === OWN_ROOM ? MOST_SURE_FRAMES : 3));
  let left = room - [...sure].reduce((sum, line) => sum + line.length + 1, 0);
  const kept = frames.filter((line) => {
    if (sure.has(line)) return true;
    left -= line.length + 1;
    return left >= 0;
  });
  const gone = frames.length - kept.length;
  return gone === 0 ? kept : [...kept, `    … (${gone} frames left out)`];
}

/** The rooms whose code runs beside a job's; none in the one file that is made of them: its lines are known by its name. */
function ownPlaces(): string[] {
  const room = "/job/wire";
  if (!import.meta.dirname.endsWith(room)) return [];
  const source = import.meta.dirname.slice(0, -room.length);
  return [`${source}/job/`, `${source}/live/`];
}
