// Makes `import … from "serendipity-job"` work in any folder on Bun; only inside a job worker.
import { plugin } from "bun";
import { createBunHook } from "../../live/inside/load-hooks.ts";
import type { AskSource } from "../wire/source-link.ts";

const SDK = "serendipity-job";

/** A virtual module, because a bare import cannot be redirected to a file here: `onResolve` is not asked. */
export async function provideSdk(): Promise<void> {
  const exports = { ...(await import("../../sdk/index.ts")) };
  plugin({
    name: SDK,
    setup(setup) {
      setup.module(SDK, () => ({ exports, loader: "object" }));
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
