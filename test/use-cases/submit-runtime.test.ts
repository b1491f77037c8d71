// When a created task is due, what is told of it, and which instants are the same.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { requestDigests } from "../../src/core/same-request.ts";
import type { SubmitInput } from "../../src/core/submit-input.ts";
import { readContent } from "../../src/core/task-content.ts";
import type { Application } from "../../src/store/store.ts";
import { createTaskSubmitter, type TaskSubmitter } from "../../src/use-cases/submit-task.ts";
import { rejectionOf } from "../support/rejection.ts";
import {
  addApplication,
  addTask,
  createWorld,
  forgetExactDigest,
  type World,
} from "../support/use-case-world.ts";

const YEAR_MS = 365 * 86_400_000;

let world: World;
let application: Application;
let submitter: TaskSubmitter;
let created = 0;

beforeAll(async () => {
  world = await createWorld();
  application = await addApplication(world, { appKey: "E3F5l1uKFcXUe1gd" });
  submitter = createTaskSubmitter({ ...world, timezone: "Asia/Shanghai" });
});
afterAll(() => world.close());

function input(parts: Partial<SubmitInput> = {}): SubmitInput {
  created += 1;
  const task = { taskNo: `task-${created}`, name: "name", content: { order: 1 }, timeout: 60_000 };
  return { ...task, ...parts };
}

async function submitted(parts: Partial<SubmitInput> = {}) {
  const { taskId } = await submitter.submit(application, input(parts));
  const detail = await world.store.tasks.find({ applicationId: application.id, id: taskId });
  if (detail === undefined) throw new Error(`task ${taskId} was acknowledged and is not there`);
  return detail.task;
}

describe("when a task is due", () => {
  test("is now by the database's clock without a runtime, or with a past one", async () => {
    for (const runtime of [undefined, 1, "2021-07-27 17:30:30"]) {
      const before = await world.store.now();
      const { runAt } = await submitted(runtime === undefined ? {} : { runtime });
      expect(runAt).toBeGreaterThanOrEqual(before);
      expect(runAt).toBeLessThanOrEqual(await world.store.now());
    }
  });

  test("is its runtime when that is later", async () => {
    const runtime = (await world.store.now()) + 5_000;
    expect((await submitted({ runtime })).runAt).toBe(runtime);
    expect((await submitted({ runtime: new Date(runtime).toISOString() })).runAt).toBe(runtime);
  });

  test("is at most 365 days ahead", async () => {
    const runtime = (await world.store.now()) + YEAR_MS + 60_000;
    expect(await rejectionOf(submitted({ runtime }))).toMatchObject({
      code: "invalid",
      details: {
        errors: [{ field: "runtime", message: expect.stringContaining("365 days ahead") }],
      },
    });
  });
});

describe("the instant of a runtime", () => {
  const epochS = 1_627_371_056;
  const forms = [epochS, String(epochS), "2021-07-27 15:30:56", "2021-07-27T07:30:56Z"] as const;

  test("is told as it was read, in the platform's zone", async () => {
    for (const runtime of forms) {
      expect(await submitter.submit(application, input({ runtime }))).toMatchObject({
        runAt: epochS * 1000,
        runAtText: "2021-07-27T15:30:56.000+08:00",
      });
    }
    expect(await submitter.submit(application, input({ runtime: 0 }))).toEqual({
      taskId: expect.any(Number),
    });
  });

  test("makes two requests the same, in whatever form", async () => {
    const first = input({ runtime: "2021-07-27 15:30:56" });
    const answer = await submitter.submit(application, first);
    for (const runtime of forms) {
      expect(await submitter.submit(application, { ...first, runtime })).toEqual(answer);
    }
    const other = submitter.submit(application, { ...first, runtime: epochS + 1 });
    expect(await rejectionOf(other)).toMatchObject({ code: "refused" });
  });

  test("does not undo what an earlier release took: the same form is the same, whatever it is", async () => {
    const first = input({ runtime: "2021-07-27 17:30:30" });
    const { runtime } = first;
    const { digest } = requestDigests(
      { ...first, runtime, content: readContent(first.content) },
      "Asia/Shanghai",
    );
    const id = await addTask(world.store, {
      applicationId: application.id,
      taskNo: first.taskNo,
      digest,
    });
    forgetExactDigest(world, id);
    expect(await submitter.submit(application, first)).toMatchObject({ taskId: id });
    const other = { ...first, runtime: "2021-07-27 17:30:31" };
    expect(await rejectionOf(submitter.submit(application, other))).toMatchObject({
      code: "refused",
    });
  });
});

describe("a zone that nobody has chosen", () => {
  test("is told to callers whose runtime has none, and to nobody else", async () => {
    const assuming = createTaskSubmitter({ ...world, timezone: "UTC", isZoneAssumed: true });
    const warningsOf = async (runtime: string | number) =>
      (await assuming.submit(application, input({ runtime }))).warnings ?? [];
    for (const runtime of ["2021-07-27 17:30:30", "2021-07-27"]) {
      expect(await warningsOf(runtime)).toEqual([expect.stringContaining("set APP_TIMEZONE")]);
    }
    expect(await warningsOf("2021-07-27T17:30:30+08:00")).toEqual([]);
    expect(await warningsOf(1_627_371_056)).toEqual([]);
    const chosen = createTaskSubmitter({ ...world, timezone: "UTC" });
    const given = input({ runtime: "2021-07-27 17:30:30" });
    expect((await chosen.submit(application, given)).warnings ?? []).toEqual([]);
  });
});
