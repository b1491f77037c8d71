// A create whose job no living executor has: accepted, warned of in the answer, and once a minute in the log.
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Application } from "../../src/store/store.ts";
import { createTaskSubmitter, type TaskSubmitter } from "../../src/use-cases/submit-task.ts";
import {
  addApplication,
  createWorld,
  jobDefinition,
  type World,
} from "../support/use-case-world.ts";

let world: World;
let application: Application;
let submitter: TaskSubmitter;
let created = 0;

beforeEach(async () => {
  world = await createWorld();
  application = await addApplication(world, { appKey: "E3F5l1uKFcXUe1gd" });
  submitter = createTaskSubmitter(world);
});
afterEach(() => world.close());

function create(content: object) {
  created += 1;
  const task = { taskNo: `task-${created}`, name: "name", content, timeout: 60_000 };
  return submitter.submit(application, task);
}

async function start(serviceId: string, ...names: string[]): Promise<void> {
  await world.store.executors.register({ serviceId, host: "host", pid: 1 });
  await world.store.catalogue.publish(
    serviceId,
    names.map((name) => jobDefinition({ name })),
  );
}

const warned = () => world.lines.filter(({ message }) => message.includes("no living executor"));

test("says who had it and when, in every answer and once in the log", async () => {
  await start("executor-1", "report");
  await world.store.executors.declareDead("executor-1");
  await start("executor-2", "other");
  const text = /^no living executor has the job 'report'; last seen on executor-1 at \S+\+08:00$/;
  for (let round = 0; round < 3; round += 1) {
    expect(await create({ class: "report" })).toEqual({
      taskId: expect.any(Number),
      warnings: [expect.stringMatching(text)],
    });
  }
  expect(warned()).toMatchObject([
    { level: "warn", fields: { job: "report", last_seen_on: "executor-1" } },
  ]);
});

test("is silent for what a living one has, for callbacks, and where one tells nothing", async () => {
  await start("executor-1", "report");
  await world.store.catalogue.publish("executor-2", [jobDefinition({ name: "other" })]);
  expect(await create({ class: "report" })).toEqual({ taskId: expect.any(Number) });
  expect(await create({ order: 1 })).toEqual({ taskId: expect.any(Number) });
  await world.store.executors.register({ serviceId: "executor-older", host: "host", pid: 2 });
  await world.store.executors.declareDead("executor-1");
  expect(await create({ class: "other" })).toEqual({ taskId: expect.any(Number) });
  expect(warned()).toEqual([]);
});

test("never fails a create that is stored", async () => {
  await start("executor-1", "report");
  const executors = { ...world.store.executors, holders: () => Promise.reject(new Error("away")) };
  submitter = createTaskSubmitter({ ...world, store: { ...world.store, executors } });
  expect(await create({ class: "report" })).toEqual({ taskId: expect.any(Number) });
});
