// The job lane inside a consumer thread, where it runs in production: job workers are threads of a thread there.
import { expect } from "bun:test";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { claimed } from "../support/claimed-task.ts";
import { test } from "../support/long.ts";
import { fixtureJobs } from "./attempts.ts";

test("attempts end, and spinning ones die, inside a consumer thread", async () => {
  const tasks = [
    claimed("action", { do: "return", value: 1 }),
    claimed("action", { do: "spin" }, 1_000),
    claimed("action", { do: "exit", value: 1 }),
    claimed("fresh-action", {}),
  ];
  const thread = new Worker(new URL("./lane-thread.ts", import.meta.url), {
    workerData: { jobsDir: fixtureJobs, tasks },
  });
  const [results] = (await once(thread, "message")) as [unknown];
  await thread.terminate();
  expect(results).toMatchObject([
    { end: { outcome: "succeeded", result: "1" } },
    { end: { outcome: "timed_out" }, gone: { killed: true, method: "thread" } },
    { end: { outcome: "crashed" }, gone: { killed: true } },
    { end: { outcome: "succeeded", result: "1" }, gone: { killed: true } },
  ]);
});
