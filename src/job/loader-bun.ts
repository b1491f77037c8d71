// Makes `import … from "serendipity-job"` work in any folder on Bun; only inside a job worker.
import { fileURLToPath } from "node:url";
import { build, plugin } from "bun";
import { createBunHook } from "./live/load-hooks.ts";
import type { AskSource } from "./live/source-link.ts";

/**
 * The sdk as the text of one module: importing TypeBox's 300 files costs every new job worker 35 ms of processor time,
 * more than all the rest of its start.
 */
export async function bundleSdk(): Promise<string | null> {
  const entry = fileURLToPath(new URL("../sdk/index.ts", import.meta.url));
  const { outputs } = await build({ entrypoints: [entry], target: "bun", throw: false });
  return outputs[0]?.text() ?? null;
}

const SDK = "serendipity-job";

/** A virtual module, because a bare import cannot be redirected to a file here: `onResolve` is not asked. */
export async function provideSdk(text: string | null): Promise<void> {
  const exports = text === null ? { ...(await import("../sdk/index.ts")) } : null;
  plugin({
    name: SDK,
    setup(setup) {
      setup.module(SDK, () =>
        exports === null ? { contents: text ?? "", loader: "js" } : { exports, loader: "object" },
      );
    },
  });
  // Before the first job asks for it: job workers are made ready in advance.
  await import(SDK);
}

export function rewriteSources(jobsDir: string, ask: AskSource): void {
  const { filter, load } = createBunHook(jobsDir, ask);
  plugin({
    name: "live-stack",
    setup(setup) {
      setup.onLoad({ filter }, load);
    },
  });
}
