// What a create is refused for, on a real store, and in which words.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import type { SubmitInput } from "../../src/core/submit-input.ts";
import { createSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Application } from "../../src/store/store.ts";
import { createTaskSubmitter, type TaskSubmitter } from "../../src/use-cases/submit-task.ts";
import { createRecordedLog } from "../support/recorded-log.ts";
import { rejectionOf } from "../support/rejection.ts";
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

beforeAll(async () => {
  world = await createWorld();
  application = await addApplication(world, { appKey: "E3F5l1uKFcXUe1gd" });
  const params = JSON.parse(
    JSON.stringify(Type.Object({ to: Type.String(), count: Type.Optional(Type.Integer()) })),
  );
  await world.store.catalogue.publish("executor-1", [
    jobDefinition({ name: "send-email", params }),
    jobDefinition({ name: "quick" }),
  ]);
  submitter = createTaskSubmitter({ ...world, timezone: "Asia/Shanghai" });
});
afterAll(() => world.close());

function input(parts: Partial<SubmitInput> = {}): SubmitInput {
  created += 1;
  const task = { taskNo: `task-${created}`, name: "name", content: { order: 1 }, timeout: 60_000 };
  return { ...task, ...parts };
}

function refusalOf(parts: Partial<SubmitInput>): Promise<unknown> {
  return submitter.submit(application, input(parts)).catch((thrown: unknown) => thrown);
}

describe("what is wrong with a create", () => {
  test("is a job nobody has, with the nearest names", async () => {
    expect(await refusalOf({ content: { class: "send-mail" } })).toMatchObject({
      code: "refused",
      message: "no job named 'send-mail'; did you mean 'send-email'?",
    });
    expect(await refusalOf({ content: { class: "zzz\n\u001bzz" } })).toMatchObject({
      code: "refused",
      message: "no job named 'zzz��zz'; the nearest are 'quick', 'send-email'",
    });
  });

  test("is a class of the original's, with both ways on", async () => {
    const refused = await refusalOf({ content: { class: "\\App\\Job\\Report" } });
    expect(refused).toMatchObject({ message: expect.stringMatching(/`aliases`.*linkUrl$/) });
  });

  test("is every param and the runtime, all named at once", async () => {
    const content = { class: "send-email", params: { count: 1.5 } };
    const refused = await refusalOf({ content, runtime: "soon" });
    const fields = (refused as { details: { errors: { field: string }[] } }).details.errors;
    expect(refused).toMatchObject({ code: "invalid" });
    expect(fields.map(({ field }) => field).toSorted()).toEqual([
      "content.params.count",
      "content.params.to",
      "runtime",
    ]);
  });

  test("is content that is none", async () => {
    expect(await refusalOf({ content: "[1]" })).toMatchObject({ code: "invalid" });
  });

  test("is an application the database does not have", async () => {
    const nobody = { ...application, id: 999_999 };
    const refused = await rejectionOf(submitter.submit(nobody, input()));
    expect(refused).toMatchObject({ code: "refused", message: "the database refused this task" });
    expect(world.lines).toMatchObject([{ level: "error" }]);
  });

  test("leaves nothing in the store and rings nobody", async () => {
    const wrong = input({ content: { class: "send-mail" } });
    await submitter.submit(application, wrong).catch(() => undefined);
    await submitter.flush();
    const reference = { applicationId: application.id, taskNo: wrong.taskNo };
    expect(await world.store.tasks.find(reference)).toBeUndefined();
    expect(world.bells).toEqual([]);
  });
});

describe("the catalogue", () => {
  test("is believed at most a second: a new deploy's jobs are known without a restart", async () => {
    expect(await refusalOf({ content: { class: "brand-new" } })).toMatchObject({ code: "refused" });
    await world.store.catalogue.publish("executor-1", [jobDefinition({ name: "brand-new" })]);
    expect(await refusalOf({ content: { class: "brand-new" } })).toMatchObject({
      taskId: expect.any(Number),
    });
  });

  test("that is empty says so", async () => {
    const empty = await createWorld();
    const own = await addApplication(empty, { appKey: "E3F5l1uKFcXUe1gd" });
    const lonely = createTaskSubmitter({ ...empty, timezone: "UTC" });
    const refused = lonely.submit(own, input({ content: { class: "x" } }));
    expect(await rejectionOf(refused)).toMatchObject({
      message: expect.stringMatching(/^no job named 'x'; no executor has published any job: /),
    });
    await empty.close();
  });
});

describe("without a store", () => {
  test("creates are refused with the time to try again, and the log names the cause once", async () => {
    const logger = createRecordedLog();
    const { lines } = logger;
    // A file is no folder: this database cannot be opened.
    const store = createSqliteStore({ path: `${import.meta.path}/tasks.sqlite` });
    const homeless = createTaskSubmitter({ ...world, store, logger, timezone: "UTC" });
    const answers = await Promise.allSettled(
      [1, 2, 3].map(() => homeless.submit(application, input())),
    );
    for (const answer of answers as PromiseRejectedResult[]) {
      expect(answer.reason).toMatchObject({ code: "unavailable", details: { retryAfterS: 1 } });
    }
    expect(lines).toMatchObject([{ level: "error", fields: { tasks: 3 } }]);
  });
});

describe("a repeated create", () => {
  test("is answered as the first one, whatever the catalogue says today", async () => {
    const content = { class: "gone-tomorrow" };
    const task = input({ content });
    await world.store.catalogue.publish("executor-2", [jobDefinition({ name: "gone-tomorrow" })]);
    const early = createTaskSubmitter({ ...world, timezone: "Asia/Shanghai" });
    const { taskId } = await early.submit(application, task);
    const stricter = { type: "object", required: ["to"] };
    await world.store.catalogue.publish("executor-2", [
      jobDefinition({ name: "gone-tomorrow", params: stricter }),
    ]);
    const late = createTaskSubmitter({ ...world, timezone: "Asia/Shanghai" });
    expect(await late.submit(application, task)).toEqual({ taskId });
    const other = late.submit(application, input({ content }));
    expect(await rejectionOf(other)).toMatchObject({ code: "invalid" });
  });
});
