// The job of the API's first example: goes through the days of a range, one after the other.
import { defineJob, NonRetryableError, Type } from "serendipity-job";

const DAY_MS = 86_400_000;

// Params are checked before the task is accepted: a wrong date is refused with the field's name, not found at night.
const DateTime = Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}$" });

export default defineJob({
  name: "simple",
  // Tasks may ask for any of a job's names; this one is what callers of the original platform send.
  aliases: ["\\Serendipity\\Job\\Job\\SimpleJob"],
  params: Type.Object({ startDate: DateTime, endDate: DateTime }),

  async run({ startDate, endDate }, ctx) {
    const startMs = toMs(startDate);
    const days = Math.floor((toMs(endDate) - startMs) / DAY_MS) + 1;
    // Trying again would find the same dates: this fails the task at once, with all its retries unused.
    if (days < 1)
      throw new NonRetryableError(`endDate ${endDate} lies before startDate ${startDate}`);

    for (let day = 1; day <= days; day++) {
      const date = new Date(startMs + (day - 1) * DAY_MS).toISOString().slice(0, 10);
      // Callers that look at the running task see these values, and how far it is.
      ctx.watch({ day, days, date });
      ctx.progress((100 * (day - 1)) / days, `working on ${date}`);
      await ctx.sleep(20);
    }
    ctx.log("all days done", { days });
    // What is returned is the task's result.
    return { startDate, endDate, days };
  },
});

function toMs(dateTime: string): number {
  const ms = Date.parse(`${dateTime.replace(" ", "T")}Z`);
  if (Number.isNaN(ms)) throw new NonRetryableError(`${dateTime} is not a date`);
  return ms;
}
