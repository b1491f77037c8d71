// One run of one module in a fresh process: a warm-up, then the best of a few timed calls, with the live stack or without.
import { pathToFileURL } from "node:url";
import { openLiveMemory } from "../src/job/wire/live-memory.ts";
import { installLiveRuntime } from "../src/live/inside/runtime.ts";

const CALLS = 5;

const [path = "", mode] = process.argv.slice(2);
if (mode !== "off") installLiveRuntime(openLiveMemory().words);
const { run } = (await import(pathToFileURL(path).href)) as { run: () => unknown };
const expected = await run();
let best = Number.POSITIVE_INFINITY;
for (let call = 0; call < CALLS; call++) {
  const startedMs = performance.now();
  await run();
  best = Math.min(best, performance.now() - startedMs);
}
console.log(JSON.stringify({ ms: best, result: String(expected) }));
