// What is told of a job that ends its own job worker: by what, and what it had used up.
import { expect, setDefaultTimeout } from "bun:test";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { offerAttempt } from "../../src/job/attempt/offer.ts";
import { createJobProcess } from "../../src/job/host/job-process.ts";
import { createJobThread } from "../../src/job/host/job-thread.ts";
import { loadFile } from "../../src/job/host/load-file.ts";
import type { AttemptOrder } from "../../src/job/wire/protocol.ts";
import { claimed } from "../support/claimed-task.ts";
import { describe, test } from "../support/long.ts";
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

const hosts = [
  ["a thread", "on-thread", () => createJobThread({})],
  ["a process", "in-process", () => createJobProcess({ env: {} })],
] as const;

test.each(hosts)(
  "%s that is dead already costs the attempt it is offered nothing",
  async (_what, name, create) => {
    const host = create();
    const offer = (id: number, action: string) => offerAttempt(host, orderOf(id, action), 60_000);
    await loadFile(host, { file: join(jobsDir, `${name}.ts`), trace: "off" });
    const first = await offer(1, "work, then process.exit").ownEnd;
    expect(first.kind).toBe("crashed");
    await new Promise<void>((resolve) =>
      host.listen({ message: () => undefined, death: () => resolve() }),
    );
    const { ownEnd, notAccepted } = offer(2, "for(;;)");
    expect(await Promise.race([ownEnd, notAccepted])).toEqual({ kind: "not-accepted" });
    expect(await host.kill()).toBe(true);
  },
);

function orderOf(id: number, action: string): AttemptOrder {
  const { taskId, attemptId, taskNo, attempt } = claimed("", {});
  const params = JSON.stringify({ do: action, path: "" });
  const deadline = Date.now() + 60_000;
  const limits = { maxAttempts: 1, deadline, memoryMb: null };
  return { kind: "attempt", id, params, taskId, attemptId, taskNo, attempt, ...limits };
}

test.each(["KILL", "TERM", "INT"])(
  "a process that somebody else kills tells SIG%s",
  async (signal) => {
    const given = { do: "kill of its own process by a child", signal };
    const { outcome, error } = await run("in-process", given);
    expect(outcome).toBe("crashed");
    expect(error?.message).toContain(`(SIG${signal})`);
  },
);
