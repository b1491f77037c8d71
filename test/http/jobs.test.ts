// The jobs that exist: who may see them, and what is shown.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { signedHeaders } from "../support/api-client.ts";
import { createHarness, type Harness, type Keys } from "./http-harness.ts";

const PATH = "/api/v1/jobs";
const ADMIN = { authorization: "Bearer correct horse" };
let harness: Harness;
let keys: Keys;

beforeAll(async () => {
  harness = await createHarness({ adminToken: "correct horse" });
  const body = { appName: "jobs", linkUrl: "http://127.0.0.1" };
  keys = (await harness.post("/application/create", body, ADMIN)).body.data as Keys;
});
afterAll(() => harness.close());

const signed = ({ appKey, secretKey }: Keys) =>
  signedHeaders({ appKey, secret: secretKey }, `GET ${PATH}\n`);

test("an application and the operator see every job, its schema and who has it", async () => {
  for (const headers of [signed(keys), ADMIN]) {
    const { status, text } = await harness.ask(PATH, { headers });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      jobs: [
        {
          name: "greet",
          aliases: ["\\Demo\\Greet"],
          params: { type: "object", properties: { who: { type: "string" } }, required: ["who"] },
          timeoutMs: null,
          isolation: "warm",
          sourceHash: "00",
          publishedAt: expect.any(Number),
          executors: [],
        },
      ],
    });
  }
});

test("nobody else sees any", async () => {
  const wrong = signed({ ...keys, secretKey: "not the secret" });
  for (const headers of [{}, wrong, { authorization: "Bearer horse" }]) {
    const { status, headers: given, text } = await harness.ask(PATH, { headers });
    expect(status).toBe(401);
    expect(given.get("content-type")).toStartWith("application/problem+json");
    expect(text).not.toContain("greet");
  }
});

test("a job says which executors have it", async () => {
  await harness.store.executors.register({ serviceId: "test-executor", host: "host", pid: 1 });
  const { text } = await harness.ask(PATH, { headers: ADMIN });
  expect(JSON.parse(text).jobs[0].executors).toEqual(["test-executor"]);
});
