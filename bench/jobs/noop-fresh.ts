// A job that does next to nothing, in a new job worker each time.
import { defineJob, Type } from "serendipity-job";

export default defineJob({
  name: "noop-fresh",
  isolation: "fresh",
  params: Type.Object({ order: Type.Integer(), template: Type.String({ maxLength: 100 }) }),
  run: () => ({ beganAt: Date.now() }),
});
