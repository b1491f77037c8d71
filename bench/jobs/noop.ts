// A job that does next to nothing, on a kept job worker: what remains is the platform.
import { defineJob, Type } from "serendipity-job";

export default defineJob({
  name: "noop",
  params: Type.Object({ order: Type.Integer(), template: Type.String({ maxLength: 100 }) }),
  run: () => ({ beganAt: Date.now() }),
});
