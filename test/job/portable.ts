// Runs attempts in a process of its own, on either runtime, and prints what became of them as JSON lines.
import { fileURLToPath } from "node:url";
import { createJobLane } from "../../src/consumer/job-lane.ts";
import { linearRetry } from "../../src/core/retry-policy.ts";
import type { ClaimedTask } from "../../src/core/task.ts";

const silent = { debug: say, info: say, warn: say, error: say };
function say(): void {
  // Nothing: what counts is printed at the end.
}

const jobsDir = fileURLToPath(new URL("../jobs", import.meta.url));
const lane = await createJobLane({ jobsDir, slots: 2, logger: silent, env: { SHOWN: "yes" } });

function claimed(action: string, value: unknown, timeoutMs: number): ClaimedTask {
  return {
    taskId: 1,
    attemptId: 1,
    fence: 1,
    taskNo: "no-1",
    name: "test",
    lane: "job",
    job: action === "fresh" ? "fresh-action" : "action",
    content: JSON.stringify({ class: "action", params: { do: action, value } }),
    timeoutMs,
    life: 1,
    attempt: 1,
    charged: 0,
    deaths: 0,
    retry: linearRetry(5, 5),
    coroutineId: 1,
    application: {
      id: 1,
      appKey: "key",
      linkUrl: "http://127.0.0.1",
      secretSealed: "",
      callbackSecretSealed: null,
      previous: null,
      successMatch: "body",
    },
  };
}

/** Actions come as `name`, `name=value` or `name@timeoutMs`. */
for (const argument of process.argv.slice(2)) {
  const [, action = "", value, timeoutMs] =
    /^([\w-]+)(?:=([^@]*))?(?:@(\d+))?$/.exec(argument) ?? [];
  const startedMs = performance.now();
  const attempt = lane.start(claimed(action, value, Number(timeoutMs ?? 5_000)));
  const end = await attempt.ended;
  const endedMs = Math.round(performance.now() - startedMs);
  const gone = await attempt.gone;
  console.log(JSON.stringify({ action, endedMs, end, gone }));
}
await lane.close();
process.exit(0);
