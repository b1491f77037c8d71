// Creating tasks on a real store: what is kept, what is the same, what is refused, and which lane is rung.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { linearRetry } from "../../src/core/retry-policy.ts";
import type { SubmitInput } from "../../src/core/submit-input.ts";
import type { Task } from "../../src/core/task.ts";
import type { Application } from "../../src/store/store.ts";
import { createTaskSubmitter, type TaskSubmitter } from "../../src/use-cases/submit-task.ts";
import { rejectionOf } from "../support/rejection.ts";
import {
  addApplication,
  createWorld,
  jobDefinition,
  type World,
} from "../support/use-case-world.ts";

const QUICK = { class: "quick" };

let world: World;
let application: Application;
let submitter: TaskSubmitter;
let created = 0;

beforeAll(async () => {
  world = await createWorld();
  application = await addApplication(world, {
    appKey: "E3F5l1uKFcXUe1gd",
    retry: linearRetry(7, 3),
  });
  const params = JSON.parse(
    JSON.stringify(Type.Object({ to: Type.String(), count: Type.Optional(Type.Integer()) })),
  );
  await world.store.catalogue.publish("executor-1", [
    jobDefinition({ name: "send-email", aliases: ["\\App\\SendEmail"], params }),
    jobDefinition({ name: "quick", timeoutMs: 500, retry: linearRetry(1, 0) }),
  ]);
  submitter = createTaskSubmitter({ ...world, timezone: "Asia/Shanghai" });
});
afterAll(() => world.close());
beforeEach(async () => {
  await submitter.flush();
  world.bells.length = 0;
  world.lines.length = 0;
});

function input(parts: Partial<SubmitInput> = {}): SubmitInput {
  created += 1;
  const task = { taskNo: `task-${created}`, name: "name", content: { order: 1 }, timeout: 60_000 };
  return { ...task, ...parts };
}

async function submitted(parts: Partial<SubmitInput> = {}): Promise<Task> {
  const { taskId } = await submitter.submit(application, input(parts));
  const detail = await world.store.tasks.find({ applicationId: application.id, id: taskId });
  if (detail === undefined) throw new Error(`task ${taskId} was acknowledged and is not there`);
  return detail.task;
}

describe("a task", () => {
  test("without class is a callback with the application's retry", async () => {
    expect(await submitted({ content: { order: 1 } })).toMatchObject({
      lane: "callback",
      job: null,
      content: '{"order":1}',
      name: "name",
      timeoutMs: 60_000,
      status: "pending",
      retry: linearRetry(7, 3),
    });
  });

  test.each(["send-email", "\\App\\SendEmail"])("of class %s is a job", async (className) => {
    const content = { class: className, _params: { to: "x" } };
    expect(await submitted({ content })).toMatchObject({
      lane: "job",
      job: "send-email",
      content: JSON.stringify(content),
      timeoutMs: 60_000,
    });
  });

  test("takes the lesser timeout and the job's own retry", async () => {
    const content = { class: "quick" };
    const retry = linearRetry(1, 0);
    expect(await submitted({ content })).toMatchObject({ timeoutMs: 500, retry });
    expect(await submitted({ content, timeout: 20 })).toMatchObject({ timeoutMs: 20 });
  });

  test("with a timeout above the job's own is warned of, once, with both figures", async () => {
    const toldOf = async (task: SubmitInput) =>
      (await submitter.submit(application, task)).warnings?.filter((text) => /^timeout/.test(text));
    const ambitious = input({ content: QUICK, timeout: 501 });
    expect(await toldOf(ambitious)).toEqual([
      "timeout 501 is above the limit of the job 'quick', 500: the job's counts, each attempt ends after 500 ms",
    ]);
    expect(await toldOf(ambitious)).toEqual([]);
    expect(await toldOf(input({ content: QUICK, timeout: 500 }))).toEqual([]);
    expect(await toldOf(input({ timeout: 86_400_000 }))).toBeUndefined();
  });
});

describe("the retries of a task", () => {
  const retry = { strategy: "exponential", max: 50, jitter: true } as const;

  test("are its own, completed from the application", async () => {
    expect((await submitted({ retry })).retry).toEqual({
      ...linearRetry(7, 50),
      strategy: "exponential",
      jitter: true,
    });
  });

  test("are its own, completed from the job where that has some", async () => {
    const task = await submitted({ retry: { max: 4, retryOnTimeout: false }, content: QUICK });
    expect(task.retry).toEqual({ ...linearRetry(1, 4), retryOnTimeout: false });
  });

  test("are the same request only when they are the same", async () => {
    const first = input({ retry });
    const { taskId } = await submitter.submit(application, first);
    const same = { ...first, retry: { jitter: true, max: 50, strategy: "exponential" } as const };
    expect(await submitter.submit(application, same)).toEqual({ taskId });
    const { retry: _, ...without } = first;
    const refused = await rejectionOf(submitter.submit(application, without));
    expect(refused).toMatchObject({ code: "refused" });
  });
});

describe("a repeated create", () => {
  test("answers the first task's id, also spelt differently", async () => {
    const first = input({ content: { a: 1, b: "x" } });
    const { taskId } = await submitter.submit(application, first);
    const same = { ...first, content: '{ "b": "\\u0078", "a": 1.0 }' };
    expect(await submitter.submit(application, first)).toEqual({ taskId });
    expect(await submitter.submit(application, same)).toEqual({ taskId });
  });

  test.each([
    ["name", { name: "other" }],
    ["content", { content: { order: 2 } }],
    ["timeout", { timeout: 60_001 }],
    ["runtime", { runtime: 1_627_371_056 }],
    ["retry", { retry: { max: 4 } }],
  ])("with another %s is refused in the words of the original API", async (_what, change) => {
    const first = input();
    await submitter.submit(application, first);
    expect(await rejectionOf(submitter.submit(application, { ...first, ...change }))).toMatchObject(
      {
        code: "refused",
        message: "请勿重复提交!",
      },
    );
  });

  test("of another application is another task", async () => {
    const other = await addApplication(world, { appKey: "other00000000000" });
    const first = input();
    const { taskId } = await submitter.submit(application, first);
    expect((await submitter.submit(other, first)).taskId).not.toBe(taskId);
  });

  test("leaves one row even a hundred times at once, and rings once", async () => {
    const same = input();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => submitter.submit(application, same)),
    );
    expect(new Set(answers.map(({ taskId }) => taskId)).size).toBe(1);
    await submitter.flush();
    expect(world.bells).toHaveLength(1);
  });

  test("has one winner when a hundred different requests take one number at once", async () => {
    const same = input();
    const answers = await Promise.allSettled(
      Array.from({ length: 100 }, (_, at) =>
        submitter.submit(application, { ...same, content: { at } }),
      ),
    );
    const winners = answers.filter(({ status }) => status === "fulfilled");
    expect(winners).toHaveLength(1);
    for (const answer of answers) {
      if (answer.status === "rejected") expect(answer.reason).toMatchObject({ code: "refused" });
    }
  });
});

describe("a burst of creates", () => {
  test("is answered task by task, in whatever batches it travelled", async () => {
    const inputs = Array.from({ length: 1200 }, (_, at) => input({ content: { at } }));
    const answers = await Promise.all(inputs.map((each) => submitter.submit(application, each)));
    expect(new Set(answers.map(({ taskId }) => taskId)).size).toBe(1200);
    for (const at of [0, 499, 500, 1199]) {
      const id = answers[at]?.taskId ?? 0;
      const detail = await world.store.tasks.find({ applicationId: application.id, id });
      expect(detail?.task.content).toBe(JSON.stringify({ at }));
    }
  });
});

describe("doorbells", () => {
  test("ring after the commit for what is due within 1.5 s, once per lane", async () => {
    const soon = (await world.store.now()) + 1_000;
    const quick = { class: "quick" };
    const answers = await Promise.all([
      submitter.submit(application, input({ content: quick, runtime: soon })),
      submitter.submit(application, input({ content: quick, runtime: soon + 60_000 })),
      submitter.submit(application, input()),
    ]);
    await submitter.flush();
    const [job, , callback] = answers;
    expect(world.bells.toSorted((a, b) => a.lane.localeCompare(b.lane))).toEqual([
      { lane: "callback", dueInMs: 0, taskId: callback?.taskId },
      { lane: "job", dueInMs: expect.any(Number), taskId: job?.taskId },
    ]);
    expect(world.bells.find(({ lane }) => lane === "job")?.dueInMs).toBeLessThanOrEqual(1_000);
  });

  test("do not ring for a task that is due later", async () => {
    await submitted({ runtime: (await world.store.now()) + 3_600_000 });
    await submitter.flush();
    expect(world.bells).toEqual([]);
  });

  test("that cannot ring neither delay nor fail the answer", async () => {
    const never = new Promise<void>(() => undefined);
    const stuck = createTaskSubmitter({
      ...world,
      queue: { ring: () => never },
      timezone: "UTC",
    });
    expect(await stuck.submit(application, input())).toEqual({ taskId: expect.any(Number) });
    const broken = createTaskSubmitter({
      ...world,
      queue: { ring: () => Promise.reject(new Error("nsqd is away")) },
      timezone: "UTC",
    });
    expect(await broken.submit(application, input())).toEqual({ taskId: expect.any(Number) });
    await broken.flush();
    expect(world.lines.map(({ level }) => level)).toEqual(["warn"]);
  });
});
