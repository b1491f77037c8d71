// Spins while it is imported, in a process of its own.
import "./lib/spin-on-import.ts";
import { defineJob } from "serendipity-job";

export default defineJob({
  name: "import-in-process",
  isolation: "process",
  run: () => "never reached",
});
