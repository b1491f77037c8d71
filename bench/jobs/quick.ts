// A job that is done at once, or spins for ever.
import { defineJob } from "serendipity-job";

export default defineJob({
  name: "quick",
  isolation: "warm",
  run: (params) => {
    if ((params as { spin: boolean }).spin) for (;;);
    return 1;
  },
});
