// Runs shapes in workers of this process, looks at them from outside, and prints what was seen as JSON lines.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { Frame } from "../../src/core/views/stack.ts";
import { openLiveMemory } from "../../src/job/wire/live-memory.ts";
import type { LiveStack } from "../../src/job/wire/live-stack.ts";
import type { TraceMode } from "../../src/job/wire/prepared-source.ts";
import { serveSources } from "../../src/job/wire/source-link.ts";
import { readLive } from "../../src/live/reader.ts";
import { type LiveSources, openLiveSources } from "../../src/live/sources.ts";
import { type Shape, SPINNING, WAITING } from "./shapes.ts";

/** One line of what is printed. */
export interface Sampled {
  readonly shape: string;
  /** `file:line function` that the marks allow. */
  readonly marks: readonly string[];
  /** State and innermost frame of each sample, repeated ones once, with how often they were seen. */
  readonly seen: Readonly<Record<string, number>>;
  readonly last: LiveStack;
  readonly error?: string;
}

const WARM_LIMIT_MS = 40_000;
const SAMPLES = 10;
const INTERVAL_MS = 10;

interface World {
  readonly folder: string;
  readonly sources: LiveSources;
  readonly mode: TraceMode;
}

async function sample(name: string, shape: Shape, world: World): Promise<Sampled> {
  const jobsDir = join(world.folder, `jobs-${name.replace(/\W+/g, "-")}`);
  for (const [file, text] of Object.entries(shape.files)) {
    mkdirSync(dirname(join(jobsDir, file)), { recursive: true });
    writeFileSync(join(jobsDir, file), text);
  }
  const marks = Object.entries(shape.files).flatMap(([file, text]) =>
    marksOf(join(jobsDir, file), text),
  );
  const { buffer, words } = openLiveMemory();
  const { link } = serveSources(world.sources);
  const worker = new Worker(new URL("./shape-worker.ts", import.meta.url));
  let error: string | undefined;
  worker.on("message", (message: { readonly error?: string }) => {
    error = message.error;
  });
  const [main = ""] = Object.keys(shape.files);
  const url = pathToFileURL(join(jobsDir, main)).href;
  worker.postMessage({ link, memory: buffer, jobsDir, url, mode: world.mode }, [
    link.port as never,
  ]);

  const look = () => readLive(words, world.sources.findTable);
  const isThere = () => marks.includes(placeOf(look().frames[0])) && look().state === shape.state;
  const endMs = performance.now() + WARM_LIMIT_MS;
  while (performance.now() < endMs && error === undefined && !isThere()) await delay(5);
  const seen: Record<string, number> = {};
  for (let at = 0; at < SAMPLES; at++) {
    const { state, frames } = look();
    const key = `${state} ${placeOf(frames[0])}`;
    seen[key] = (seen[key] ?? 0) + 1;
    await delay(INTERVAL_MS);
  }
  const last = look();
  worker.terminate().catch(() => undefined);
  return { shape: name, marks, seen, last, ...(error === undefined ? {} : { error }) };
}

export function marksOf(path: string, text: string): string[] {
  return text.split(/\r?\n/).flatMap((line, at) => {
    const names = line.split("//@ ")[1]?.split(" | ") ?? [];
    return names.map((name) => `${path}:${at + 1} ${name.trim()}`);
  });
}

export function placeOf(frame: Frame | undefined): string {
  if (frame === undefined) return "nowhere";
  const owner = frame.class === undefined ? "" : `${frame.class}.`;
  return `${frame.file}:${frame.line} ${owner}${frame.function}`;
}

export async function openServer(): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url === "/drip") response.write("x");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

if (import.meta.main) {
  const [mode, ...names] = process.argv.slice(2);
  const url = await openServer();
  Object.assign(process.env, { SILENT_URL: `${url}/silent`, DRIPPING_URL: `${url}/drip` });
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "shapes-")));
  const sources = openLiveSources(join(folder, "cache"));
  const all: Readonly<Record<string, Shape>> = { ...SPINNING, ...WAITING };
  for (const name of names) {
    const shape = all[name];
    if (shape === undefined) throw new Error(`no shape '${name}'`);
    const sampled = await sample(name, shape, { folder, sources, mode: mode as TraceMode });
    console.log(JSON.stringify(sampled));
  }
  rmSync(folder, { recursive: true });
  process.exit(0);
}
