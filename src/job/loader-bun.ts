// Makes `import … from "serendipity-job"` work in any folder on Bun; only inside a job worker.
import { plugin } from "bun";
import * as sdk from "../sdk/index.ts";

/** A virtual module, because a bare import cannot be redirected to a file here: `onResolve` is not asked. */
export function provideSdk(): void {
  plugin({
    name: "serendipity-job",
    setup(build) {
      build.module("serendipity-job", () => ({ exports: { ...sdk }, loader: "object" }));
    },
  });
}
