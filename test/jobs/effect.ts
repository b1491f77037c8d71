// Writes when it begins and ends to a file, so that a test can see from outside which attempts overlapped.
import { appendFileSync } from "node:fs";
import { defineJob, Type } from "serendipity-job";

export default defineJob({
  name: "effect",
  params: Type.Object({ file: Type.String(), ms: Type.Integer({ minimum: 0 }) }),
  async run({ file, ms }, ctx) {
    appendFileSync(file, `begin ${ctx.taskId} ${ctx.attempt} ${Date.now()}\n`);
    await ctx.sleep(ms);
    appendFileSync(file, `end ${ctx.taskId} ${ctx.attempt} ${Date.now()}\n`);
    return { taskId: ctx.taskId };
  },
});
