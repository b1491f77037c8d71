// Makes `import … from "serendipity-job"` work in any folder on Deno, which has Node's module hooks.
import { type LoadFnOutput, registerHooks } from "node:module";
import { createLoadHook } from "../../live/inside/load-hooks.ts";
import type { AskSource } from "../wire/source-link.ts";

/** A `load` hook must be there too: without one Deno does not ask `resolve` about static imports. */
export async function provideSdk(): Promise<void> {
  const url = new URL("../../sdk/index.ts", import.meta.url).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "serendipity-job" ? { url, shortCircuit: true } : next(specifier, context),
    load: (loaded, context, next) => named(loaded, next(loaded, context)),
  });
  // Before the first job asks for it: job workers are made ready in advance.
  await import("../../sdk/index.ts");
}

/** Deno leaves the format out, and then takes JSON that a package requires for JavaScript. */
function named(url: string, loaded: LoadFnOutput): LoadFnOutput {
  return url.endsWith(".json") ? { ...loaded, format: "json" } : loaded;
}

export function rewriteSources(jobsDir: string, ask: AskSource): void {
  registerHooks({
    resolve: (specifier, context, next) => next(specifier, context),
    load: createLoadHook(jobsDir, ask),
  });
}
