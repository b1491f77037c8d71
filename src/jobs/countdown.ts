// Counts seconds down: a job to look at while it runs (task detail shows `vars`, `round` and where it is).
import { defineJob, Type } from "serendipity-job";

export default defineJob({
  name: "countdown",
  params: Type.Object({ from: Type.Integer({ minimum: 1, maximum: 3_600 }) }),

  async run({ from }, ctx) {
    for (let left = from; left > 0; left--) {
      // A snapshot: it shows `left` as it is now, until the next call.
      ctx.watch({ left, from });
      ctx.progress((100 * (from - left)) / from, `${left} s left`);
      // The signal fires shortly before the deadline. What is returned then still counts as success.
      if (ctx.signal.aborted) return { stoppedAt: left };
      // Unlike a bare setTimeout, this wait ends when the task is cancelled.
      await ctx.sleep(1_000);
    }
    return { stoppedAt: 0 };
  },
});
