// The cases of the kill matrix on a thread of the executor.
import { defineJob } from "serendipity-job";
import { type ActionParams, act } from "./lib/actions.ts";

export default defineJob({
  name: "on-thread",
  isolation: "warm",
  run: (params, ctx) => act(params as ActionParams, ctx),
});
