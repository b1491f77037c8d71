// What the job worker itself uses of the globals, taken before a job is imported: jobs may patch theirs as they like.
import type { Writable } from "node:stream";
import { wellFormedJson } from "../../core/well-formed.ts";
import type { MemoryWord } from "./protocol.ts";

const { now } = Date;
const { stringify, parse, isRawJSON } = JSON;

/** Epoch ms. */
export const clockMs: () => number = now;
/** JSON text without half characters, neither in texts nor in keys. */
export const toJson = (value: unknown): string | undefined => wellFormedOrNone(stringify(value));
export const toJsonWith = (
  value: unknown,
  replace: (key: string, value: unknown) => unknown,
): string | undefined => wellFormedOrNone(stringify(value, replace));
/** A number that a job made exact with `JSON.rawJSON`. */
export const isRawJson: (value: unknown) => value is { readonly rawJSON: string } = isRawJSON;
export const parseJson: (text: string) => unknown = parse;
export const startTimer: (run: () => void, ms: number) => unknown = setTimeout;
export const stopTimer: (timer: unknown) => void = clearTimeout as (timer: unknown) => void;
export const soon: (run: () => void) => void = setImmediate;
export const fetchNow: (input: string | URL | Request, init?: RequestInit) => Promise<Response> =
  fetch;

export const NativePromise = Promise;
export const NativeAbortController = AbortController;

const { apply } = Reflect;
const then: unknown = Reflect.get(Promise.prototype, "then");

/** `promise.catch`, which would go through a patched `then`. */
export function onRejection(promise: Promise<unknown>, hear: (thrown: unknown) => void): void {
  (apply as (...given: readonly unknown[]) => unknown)(then, promise, [undefined, hear]);
}

const loadBuiltin = process.getBuiltinModule.bind(process);

/** Of node:util, loaded when first used: that takes 6 ms of processor time on Bun, and few job workers need it. */
export const formatValues = (...values: readonly unknown[]): string =>
  loadBuiltin("node:util").format(...values);
export const inspectValue = (value: unknown): string => loadBuiltin("node:util").inspect(value);

/** A stream of which each write is handed to `write`; loaded when first used, like the above. */
export function openWritable(write: (chunk: unknown) => void): Writable {
  const { Writable } = loadBuiltin("node:stream");
  return new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      write(chunk);
      done();
    },
  });
}

const readMemory = process.memoryUsage.bind(process);

/** What this thread's heap uses. */
export function memoryNow(): MemoryWord {
  return { heapBytes: readMemory().heapUsed };
}

const NativeError = Error;

/** The stack of the caller, up to 30 frames deep, as the engine prints it; "" when a job has broken stacks. */
export function captureStack(): string {
  const limit = NativeError.stackTraceLimit;
  NativeError.stackTraceLimit = 30;
  const { stack } = new NativeError();
  NativeError.stackTraceLimit = limit;
  return typeof stack === "string" ? stack : "";
}

/** JSON.stringify has none for undefined and functions. */
function wellFormedOrNone(json: string | undefined): string | undefined {
  return json === undefined ? undefined : wellFormedJson(json);
}
