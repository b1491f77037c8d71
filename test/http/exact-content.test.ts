// What numbers do on their way through the API: kept to the last digit, or refused, and shown as they are.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { claimTask, endAttempt } from "../support/use-case-world.ts";
import { createHarness, type Harness, type Keys, signatureFor } from "./http-harness.ts";

const EXACT =
  '{"orderId":9007199254740993,"id":123456789012345678901234567890,"t":1E-400,"price":1.0}';

let harness: Harness;
let keys: Keys;
beforeAll(async () => {
  harness = await createHarness();
  keys = await harness.createApplication();
});
afterAll(() => harness.close());

function create(taskNo: string, content: string) {
  const body = `{ "taskNo": "${taskNo}", "name": "n", "content": ${content}, "timeout": 1000 }`;
  return harness.postSigned(keys, "/task/create", body);
}

test("a callback's content is stored as the text that came, as an object and as text", async () => {
  const { body, status } = await create("exact", EXACT.replaceAll(",", " ,\n  "));
  expect(status).toBe(200);
  const { taskId: id } = body.data as { taskId: number };
  const found = await harness.store.tasks.find({ applicationId: 1, id });
  expect(found?.task.content).toBe(EXACT);
  expect((await create("exact", JSON.stringify(EXACT))).body).toEqual(body);
  const task = await claimTask(harness.store);
  await endAttempt(harness.store, task, { outcome: "succeeded", result: EXACT });
});

test("what a job returned is shown to the last digit", async () => {
  const detail = await harness.postSigned(keys, "/task/detail", { taskNo: "exact" });
  expect(detail.text).toContain(`"result":${EXACT}`);
  const path = `/task/${(detail.body.data as { id: number }).id}/attempts`;
  const headers = signatureFor(keys, { method: "GET", path });
  const attempts = await harness.ask(path, { headers });
  expect(attempts.text).toContain(`"result":${EXACT}`);
});

test("another last digit is another request", async () => {
  const other = await create("exact", EXACT.replace("993", "992"));
  expect(other.body).toMatchObject({
    code: 1,
    msg: "请勿重复提交!",
    data: { differs: ["content"] },
  });
});

test("params of a job that no double keeps are refused, all of them named", async () => {
  const answer = await create(
    "job",
    '{"class":"greet","params":{"who":1E400,"ids":[1,0.10000000000000001]}}',
  );
  expect(answer.status).toBe(422);
  const what = "is a number that a job would get as";
  expect(answer.body).toMatchObject({
    code: 1,
    data: {
      errors: [
        { field: "content.params.who", message: `${what} Infinity: send it as text` },
        { field: "content.params.ids.1", message: `${what} 0.1: send it as text` },
      ],
    },
  });
});
