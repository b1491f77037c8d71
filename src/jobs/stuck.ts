// Never ends: a job to see that a timeout and a cancel end anything, and that detail still says where it is.
import { defineJob } from "serendipity-job";

export default defineJob({
  name: "stuck",

  run(_params, ctx) {
    let turns = 0;
    ctx.watch({ turns, advice: "cancel me" });
    ctx.log("entering a loop that has no end");
    // No await, no check of ctx.signal: nothing inside this thread can stop it any more, so it is killed from outside.
    for (;;) turns += 1;
  },
});
