// A fixture job whose every attempt gets a job worker of its own: module state never survives.
import { defineJob } from "serendipity-job";

let attempts = 0;

export default defineJob({
  name: "fresh-action",
  isolation: "fresh",
  timeout: 2_000,
  run: () => {
    attempts += 1;
    return attempts;
  },
});
