// A job worker that does nothing but import one file of a folder with live sources, and call it.
import { parentPort } from "node:worker_threads";
import { liveMemoryOf } from "../../src/job/wire/live-memory.ts";
import type { TraceMode } from "../../src/job/wire/prepared-source.ts";
import { createAsker, type SourceLink } from "../../src/job/wire/source-link.ts";
import { createBunHook, createLoadHook } from "../../src/live/inside/load-hooks.ts";
import { installLiveRuntime } from "../../src/live/inside/runtime.ts";

/** What the worker is told to do. */
export interface ShapeOrder {
  readonly link: SourceLink;
  readonly memory: SharedArrayBuffer;
  readonly jobsDir: string;
  readonly url: string;
  readonly mode: TraceMode;
  /** Posts what the default export returns, and does not stay. */
  readonly answers?: boolean;
}

parentPort?.once("message", (order: ShapeOrder) => {
  perform(order).catch((thrown: unknown) => {
    parentPort?.postMessage({ error: thrown instanceof Error ? thrown.stack : String(thrown) });
  });
});

async function perform({ link, memory, jobsDir, url, mode }: ShapeOrder): Promise<void> {
  installLiveRuntime(liveMemoryOf(memory).words);
  const ask = createAsker(link, mode);
  if (process.versions["bun"] === undefined) {
    const { registerHooks } = await import("node:module");
    const load = createLoadHook(jobsDir, ask);
    registerHooks({ resolve: (specifier, context, next) => next(specifier, context), load });
  } else {
    const { plugin } = await import("bun");
    const hook = createBunHook(jobsDir, ask);
    plugin({
      name: "live",
      setup(build) {
        build.onLoad({ filter: hook.filter }, hook.load);
      },
    });
  }
  const { default: run } = (await import(url)) as { readonly default: () => unknown };
  const answer = await run();
  parentPort?.postMessage({ answer });
}
