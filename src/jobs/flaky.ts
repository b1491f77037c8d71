// Fails a few times before it succeeds: a job to see retries with.
import { defineJob, Type } from "serendipity-job";

export default defineJob({
  name: "flaky",
  params: Type.Object({ failures: Type.Integer({ minimum: 0, maximum: 10 }) }),
  // Instead of the application's: again after 1 s, 2 s and 3 s, four attempts in all.
  retry: { step: 1, total: 3 },

  async run({ failures }, ctx) {
    ctx.log(`attempt ${ctx.attempt} of at most ${ctx.maxAttempts}`);
    // A step shows in the trace with its duration, also when it fails.
    await ctx.step("call the flaky service", async () => {
      await ctx.sleep(50);
      // Any rejection fails the attempt. Module variables would not do for counting: attempts of one task may run in
      // different job workers, and different tasks share one.
      if (ctx.attempt <= failures)
        throw new Error(`the service failed (${ctx.attempt}/${failures})`);
    });
    return { attempts: ctx.attempt };
  },
});
