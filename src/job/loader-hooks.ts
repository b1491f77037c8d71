// Makes `import … from "serendipity-job"` work in any folder on Deno, which has Node's module hooks.
import { registerHooks } from "node:module";

/** A `load` hook must be there too: without one Deno does not ask `resolve` about static imports. */
export function provideSdk(): void {
  const url = new URL("../sdk/index.ts", import.meta.url).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "serendipity-job" ? { url, shortCircuit: true } : next(specifier, context),
    load: (loaded, context, next) => next(loaded, context),
  });
}
