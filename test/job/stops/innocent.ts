// Fixture job: minds its own business for a few seconds, with a call in every loop.
import { defineJob, Type } from "serendipity-job";

let turns = 0;

function turn(): void {
  turns += 1;
}

export default defineJob({
  name: "innocent",
  isolation: "fresh",
  params: Type.Object({}),
  async run(_, ctx) {
    for (let round = 0; round < 100; round += 1) {
      for (let at = 0; at < 1_000; at += 1) turn();
      await ctx.sleep(30);
    }
    return turns;
  },
});
