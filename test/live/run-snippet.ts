// Runs one snippet as a module of its own, and tells all that can be seen of it from outside.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  FRAME,
  FRAME_COUNT,
  frameAt,
  LIVE_WORDS,
  openLiveMemory,
} from "../../src/job/wire/live-memory.ts";
import type { TraceMode } from "../../src/job/wire/prepared-source.ts";
import { installLiveRuntime } from "../../src/live/inside/runtime.ts";
import { readLive } from "../../src/live/reader.ts";
import { type Instrumented, instrument } from "../../src/live/rewrite/instrument.ts";

const { words } = openLiveMemory();
installLiveRuntime(words);

export interface Seen {
  readonly logged: string[];
  readonly thrown: string | null;
  readonly exported: string;
}

export interface Watched extends Seen {
  readonly instrumented: Instrumented;
  /** Where a noted line was not that of the `log` call: `noted / true line`. */
  readonly wrongLines: string[];
  /** Depth and async frames that were left, once all is over. */
  readonly left: { readonly depth: number; readonly frames: number };
}

/** How the module behaves as it is. */
export async function runPlain(folder: string, name: string, source: string): Promise<Seen> {
  return observe(write(folder, `${name}-off`, source), () => undefined);
}

/** How it behaves when instrumented, and what is noted then. */
export async function runWatched(
  folder: string,
  name: string,
  { source, mode }: { readonly source: string; readonly mode: TraceMode },
): Promise<Watched> {
  const path = join(folder, `${fileName(name)}-${mode}.ts`);
  const instrumented = instrument(source, { path, fileNumber: 7, mode });
  writeFileSync(path, instrumented.code);
  const wrongLines: string[] = [];
  const check = () => {
    if (mode === "functions") return;
    const { frames } = readLive(words, () => instrumented.locations);
    const line = callerLine(path);
    if (frames[0]?.line !== line) wrongLines.push(`${frames[0]?.line} / ${line}`);
  };
  const seen = await observe(path, check);
  const left = { depth: words[LIVE_WORDS.depth] ?? -1, frames: countFrames() };
  words.fill(0);
  return { ...seen, instrumented, wrongLines, left };
}

/** The lines of the frames that are noted while `log` is called, innermost first, and the true ones. */
export async function runForFrames(
  folder: string,
  name: string,
  { source, mode }: { readonly source: string; readonly mode: TraceMode },
): Promise<{ readonly noted: readonly number[]; readonly real: readonly number[] }> {
  const path = join(folder, `${fileName(name)}-${mode}.ts`);
  const instrumented = instrument(source, { path, fileNumber: 7, mode });
  writeFileSync(path, instrumented.code);
  let seen: { noted: number[]; real: number[] } = { noted: [], real: [] };
  await observe(path, () => {
    const { frames } = readLive(words, () => instrumented.locations);
    seen = { noted: frames.map(({ line }) => line), real: callerLines(path) };
  });
  words.fill(0);
  return seen;
}

/** Async frames that have not ended. */
function countFrames(): number {
  const entries = Array.from({ length: FRAME_COUNT - 1 }, (_, at) => frameAt(at + 1));
  return entries.filter((entry) => words[entry + FRAME.depth] !== 0).length;
}

let files = 0;

function write(folder: string, name: string, source: string): string {
  const path = join(folder, `${fileName(name)}.ts`);
  writeFileSync(path, source);
  return path;
}

/** Of no other module: each is to run anew. */
function fileName(name: string): string {
  files += 1;
  return `${name.replace(/\W+/g, "-")}-${files}`;
}

async function observe(path: string, check: () => void): Promise<Seen> {
  const logged: string[] = [];
  const log = (value: unknown) => {
    check();
    logged.push(show(value));
    return value;
  };
  Object.assign(globalThis, { log });
  try {
    const module = (await import(pathToFileURL(path).href)) as object;
    // What was left floating ends within a few turns of the event loop.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return { logged, thrown: null, exported: show({ ...module }) };
  } catch (thrown) {
    return { logged, thrown: String(thrown), exported: "" };
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "function" ? `function ${inner.name}` : inner,
  );
  return `${typeof value} ${text}`;
}

/** The line from which `log` was called. */
function callerLine(path: string): number {
  return callerLines(path)[0] ?? Number.NaN;
}

/** From which it was called, and from which that was. */
function callerLines(path: string): number[] {
  const stack = new Error("where").stack ?? "";
  const lines = stack.split("\n").filter((it) => it.includes(path));
  return lines.map((line) => Number(/:(\d+):\d+\)?$/.exec(line)?.[1]));
}
