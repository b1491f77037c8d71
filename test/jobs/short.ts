// A fixture job that allows itself 200 ms.
import { defineJob, Type } from "serendipity-job";

export default defineJob({
  name: "short",
  params: Type.Object({ ms: Type.Number() }),
  timeout: 200,
  run: ({ ms }, ctx) => ctx.sleep(ms),
});
