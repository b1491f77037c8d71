// What a job imports: its frames are the job's own too.
import type { JobContext } from "serendipity-job";

class Caller {
  say(ctx: JobContext): string {
    ctx.log("from a method");
    return "said";
  }
}

export function callFrom(ctx: JobContext): string {
  // Not `return say()`: a call in tail position leaves no frame on Bun.
  return `${new Caller().say(ctx)} so`;
}
