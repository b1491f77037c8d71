// Spins while it is imported, on a thread of the executor.
import "./lib/spin-on-import.ts";
import { defineJob } from "serendipity-job";

export default defineJob({
  name: "import-on-thread",
  isolation: "fresh",
  run: () => "never reached",
});
