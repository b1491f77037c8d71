// Runs attempts in a process of its own, on either runtime, and prints what became of them as JSON lines.
import { fileURLToPath } from "node:url";
import { createJobLane } from "../../src/job/job-lane.ts";
import { claimed, silent } from "../support/claimed-task.ts";

const jobsDir = fileURLToPath(new URL("../jobs", import.meta.url));
const SLOTS = 2;
const lane = await createJobLane({ jobsDir, slots: SLOTS, logger: silent, env: { SHOWN: "yes" } });

/** Actions come as `name`, `name=value` or `name@timeoutMs`; each slot takes the next one when it is free. */
const open = process.argv.slice(2).entries();

async function runNext(): Promise<void> {
  for (const [index, argument] of open) {
    const [, action = "", value, timeoutMs] =
      /^([\w-]+)(?:=([^@]*))?(?:@(\d+))?$/.exec(argument) ?? [];
    const startedMs = performance.now();
    const job = action === "fresh" ? "fresh-action" : "action";
    const params = { do: action, value };
    const attempt = lane.start(claimed(job, params, Number(timeoutMs ?? 30_000)));
    const end = await attempt.ended;
    const endedMs = Math.round(performance.now() - startedMs);
    const gone = await attempt.gone;
    console.log(JSON.stringify({ index, action, endedMs, end, gone }));
  }
}

await Promise.all(Array.from({ length: SLOTS }, runNext));
await lane.close();
process.exit(0);
