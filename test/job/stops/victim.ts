// Fixture job: takes its time to be imported, and ends when it is told to, or never.
import { setTimeout as delay } from "node:timers/promises";
import { defineJob, Type } from "serendipity-job";

const begunAt = Date.now();
while (Date.now() - begunAt < 80) await delay(10);

export default defineJob({
  name: "victim",
  isolation: "fresh",
  params: Type.Object({ ends: Type.Boolean() }),
  async run({ ends }, ctx) {
    while (!ends) await ctx.sleep(10);
    return "ended";
  },
});
