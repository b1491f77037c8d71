// Halves of characters that came in over HTTP: content with one is refused, and no answer has one.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { claimOf, finishOf } from "../contract/store/samples.ts";
import { isWhole } from "../support/is-whole.ts";
import { createHarness, type Harness, type Keys, signatureFor } from "./http-harness.ts";

const HALF = "\ud83d";
let harness: Harness;
let keys: Keys;
beforeAll(async () => {
  harness = await createHarness();
  keys = await harness.createApplication();
});
afterAll(() => harness.close());

async function create(change: Record<string, unknown>) {
  const task = { taskNo: crypto.randomUUID(), name: "n", timeout: 1_000, ...change };
  const answer = await harness.postSigned(keys, "/task/create", task);
  expect(isWhole(answer.body)).toBe(true);
  return answer;
}

function getSigned(path: string) {
  return harness.ask(path, { headers: signatureFor(keys, { method: "GET", path }) });
}

test.each([
  ["as an object", { text: HALF }],
  ["in a key", { [`a${HALF}`]: 1 }],
  ["as a text of JSON", `{"text":"${HALF}"}`],
  ["as a text of JSON with an escape", '{"text":"\\ud83d"}'],
  ["in a job's params", { class: "greet", params: { name: HALF } }],
])("content with a half is refused, with its field: %s", async (_, content) => {
  const { status, body } = await create({ content });
  const errors = [{ field: "content", message: "must hold only well-formed Unicode" }];
  expect([status, body.data]).toEqual([422, { errors }]);
});

test("what is stored already is shown with U+FFFD", async () => {
  const { body } = await create({ content: {} });
  const { taskId } = body.data as { taskId: number };
  const claim = claimOf("", 10, { lane: "callback", jobs: null });
  const { claimed } = await harness.store.tasks.turn([], claim);
  const task = claimed.find((each) => each.taskId === taskId);
  if (task === undefined) throw new Error("it was not claimed");
  const error = { name: "Error", message: `it was ${HALF}` };
  const failed = { kind: "terminal", status: "failed" } as const;
  const end = { outcome: "failed", error } as const;
  await harness.store.tasks.turn([finishOf(task, { end, next: failed })], null);
  for (const path of [`/task/detail?id=${taskId}`, `/task/${taskId}/attempts`]) {
    const { body: shown, text } = await getSigned(path);
    expect([isWhole(shown), text.includes("it was \ufffd")]).toEqual([true, true]);
  }
});

test.each([
  ["an unknown job", { content: { class: `x${HALF}` } }],
  ["an unknown param", { content: { class: "strict", params: { [HALF]: 1 } } }],
  ["a wrong param", { content: { class: "strict", params: { word: HALF } } }],
  ["a number that does not fit", { content: { class: "strict", params: { [HALF]: 1e21 } } }],
  ["a taskNo", { taskNo: HALF, content: {} }],
])("a refusal of %s with a half in it can be read", async (_, change) => {
  await harness.store.catalogue.publish("executor-1", [strict]);
  const { body } = await create(change);
  expect(body.code).toBe(1);
});

const strict = {
  name: "strict",
  aliases: [],
  params: {
    type: "object",
    additionalProperties: false,
    properties: { word: { enum: ["right", HALF.repeat(2)] } },
  },
  timeoutMs: null,
  retry: null,
  isolation: "warm",
  memoryMb: null,
  trace: "lean",
  sourceHash: "0".repeat(64),
  untraced: [],
} as const;
