// What is told of a job that ends its own job worker: by what, and what it had used up.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { claimed } from "../support/claimed-task.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { finish, openLane } from "./attempts.ts";

setDefaultTimeout(TEST_LIMIT_MS);

const jobsDir = fileURLToPath(new URL("../kill/jobs", import.meta.url));
const lane = await openLane({ jobsDir });
const run = async (job: string, params: Record<string, string>) =>
  (await finish(lane.start(claimed(job, { path: "", ...params }, 20_000)))).end;

describe.each(["on-thread", "in-process"])("a job %s", (job) => {
  test("that kills its own process is told so, each time", async () => {
    for (let times = 0; times < 12; times += 1) {
      const { outcome, error } = await run(job, { do: "kill of its own process" });
      expect(outcome).toBe("crashed");
      expect(error?.message).toMatch(/ended its own process: process\.kill\(\d+, SIGKILL\)$/);
    }
  });

  test("that exits is told with its code and its processor time", async () => {
    const { outcome, error, trace } = await run(job, { do: "work, then process.exit" });
    expect(outcome).toBe("crashed");
    expect(error?.message).toContain("(exit code 3)");
    expect(trace?.view?.vitals?.cpuMs).toBeGreaterThan(0);
  });
});

test.each(["KILL", "TERM", "INT"])(
  "a process that somebody else kills tells SIG%s",
  async (signal) => {
    const given = { do: "kill of its own process by a child", signal };
    const { outcome, error } = await run("in-process", given);
    expect(outcome).toBe("crashed");
    expect(error?.message).toContain(`(SIG${signal})`);
  },
);
