// Notes its start and its end, each in one line that is appended at once; below 0 ms it throws between them.
import { appendFileSync } from "node:fs";
import { defineJob, Type } from "serendipity-job";

const DEAF_MS = 60_000;

export default defineJob({
  name: "effect",
  params: Type.Object({ file: Type.String(), ms: Type.Integer() }),
  async run({ file, ms }, ctx) {
    const note = (op: string) => {
      const line = {
        at: Date.now(),
        process: "job",
        op,
        kind: "ok",
        task: ctx.taskId,
        attempt: ctx.attempt,
      };
      appendFileSync(file, `${JSON.stringify(line)}\n`);
    };
    note("start");
    if (ms < 0) throw new Error("it always fails");
    // What is meant never to end hears no signal either: only a kill ends it.
    if (ms > DEAF_MS) await new Promise((resolve) => setTimeout(resolve, ms));
    else await ctx.sleep(ms);
    note("end");
    return { attempt: ctx.attempt };
  },
});
