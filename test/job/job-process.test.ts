// A job process guards itself: it dies by its own hand when its owner does not kill it in time.
import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { JobHost } from "../../src/job/host/job-host.ts";
import { createJobProcess } from "../../src/job/host/job-process.ts";
import { loadFile } from "../../src/job/host/load-file.ts";
import type { AttemptOrder, Death } from "../../src/job/wire/protocol.ts";
import { claimed } from "../support/claimed-task.ts";
import { afterEach, test } from "../support/long.ts";
import { finish, openLane, until } from "./attempts.ts";

const file = fileURLToPath(new URL("../kill/jobs/in-process.ts", import.meta.url));
let host: JobHost | undefined;

afterEach(async () => {
  await host?.kill();
});

/** An attempt that spins, whose owner never kills it; `group` is that of its process. */
async function spin(order: Partial<AttemptOrder>) {
  const { promise: group, resolve } = Promise.withResolvers<number>();
  const process = createJobProcess({
    env: {},
    onGroup: ({ id }, isAlive) => isAlive && resolve(id),
  });
  host = process;
  await loadFile(process, { file, trace: "off" });
  const { promise: death, resolve: die } = Promise.withResolvers<Death>();
  process.listen({ message: () => undefined, death: die });
  process.offer({
    kind: "attempt",
    id: 1,
    attemptId: 1,
    params: JSON.stringify({ do: "for(;;)", path: "" }),
    taskId: 1,
    taskNo: "no-1",
    attempt: 1,
    maxAttempts: 1,
    deadline: Date.now() + 60_000,
    memoryMb: null,
    ...order,
  });
  return { process, death, group: await group };
}

test("at its deadline", async () => {
  const deadline = Date.now() + 300;
  const { death, group } = await spin({ deadline });
  expect(await death).toMatchObject({ because: "deadline", error: { reason: "timeout" } });
  expect(Date.now()).toBeGreaterThanOrEqual(deadline);
  await until(() => !existsSync(`/proc/${group}`));
});

test("a second before its lease ends, unless that is renewed", async () => {
  const { process, death, group } = await spin({});
  const startedMs = performance.now();
  process.lease(1_500);
  process.lease(2_000);
  expect(await death).toMatchObject({ because: "lease", error: { reason: "lease_lost" } });
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990);
  await until(() => !existsSync(`/proc/${group}`));
});

test("over its memoryMb", async () => {
  const { death, group } = await spin({
    params: JSON.stringify({ do: "allocation with pauses", path: "" }),
    memoryMb: 200,
  });
  expect(await death).toMatchObject({ error: { reason: "out_of_memory" } });
  await until(() => !existsSync(`/proc/${group}`));
});

test("before it is given a file, which is not to blame then", async () => {
  const { promise: group, resolve } = Promise.withResolvers<number>();
  host = createJobProcess({ env: {}, onGroup: ({ id }, isAlive) => isAlive && resolve(id) });
  expect(await host.ready).toBe(true);
  const { promise: death, resolve: die } = Promise.withResolvers<Death>();
  host.listen({ message: () => undefined, death: die });
  process.kill(await group, "SIGKILL");
  await death;
  expect(await loadFile(host, { file, trace: "off" })).toEqual({
    kind: "refused",
    message: "its job worker did not start: the job's code ended its process (SIGKILL)",
    isUnstarted: true,
  });
});

test("never because of the lease of an attempt that it served before", async () => {
  const lane = await openLane({ jobsDir: dirname(file), slots: 1 });
  const begin = (action: string) => lane.start(claimed("in-process", { do: action, path: "" }));
  const former = begin("stack overflow");
  expect((await finish(former)).end.outcome).toBe("failed");
  const next = begin("three seconds of work");
  await until(async () => (await next.inspect()).vars !== null);
  former.lease?.(1);
  expect((await finish(next)).end).toMatchObject({ outcome: "succeeded" });
});

test.each([
  [9, "thread"],
  [10, "process"],
])(
  "a task that died with %i executors that were told to stop runs in a %s",
  async (interruptions, method) => {
    const lane = await openLane();
    const task = { ...claimed("action", { do: "spin" }, 1_000), interruptions };
    const { end, receipt } = await finish(lane.start(task));
    expect(end.outcome).toBe("timed_out");
    expect(receipt).toMatchObject({ killed: true, method });
  },
);
