// The cases of the kill matrix in a process of their own.
import { defineJob } from "serendipity-job";
import { type ActionParams, act } from "./lib/actions.ts";

export default defineJob({
  name: "in-process",
  isolation: "process",
  memoryMb: 700,
  run: (params, ctx) => act(params as ActionParams, ctx),
});
