// The same in a process of its own.
import { defineJob } from "serendipity-job";

export default defineJob({
  name: "quick-process",
  isolation: "process",
  run: (params) => {
    if ((params as { spin: boolean }).spin) for (;;);
    return 1;
  },
});
