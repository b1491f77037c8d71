// What the real program answers is what the OpenAPI document says: every operation, and every error documented for it.

import { expect, setDefaultTimeout } from "bun:test";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type ApiClient, clientOf, isEnded, signedHeaders } from "../support/api-client.ts";
import {
  createDocumentJudge,
  type DocumentJudge,
  type LiveAnswer,
  type ServedDocument,
} from "../support/document-judge.ts";
import { eventually } from "../support/eventually.ts";
import { frameFieldsIn } from "../support/frame-fields.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { loseColumns } from "../support/lose-columns.ts";
import { type MoodyReceiver, openMoodyReceiver } from "../support/moody-receiver.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

setDefaultTimeout(TEST_LIMIT_MS);

const JOBS_DIR = new URL("../jobs", import.meta.url).pathname;
const ADMIN = { authorization: "Bearer the-admin-token-of-the-document" };
const MAX_BODY_BYTES = 65_536;
/** A warning for each is in the answer. */
const MISSPELT = { unknown: 1 };
const JSON_TYPE = { "content-type": "application/json" };

interface Request {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

describe("every answer is as documented", () => {
  let program: Program;
  let judge: DocumentJudge;
  let client: ApiClient;
  let receiver: MoodyReceiver;
  let secretKey: string;
  /** Of `trace_list`, which is text; true for those that are always there. */
  let frameFields: ReadonlyMap<string, boolean>;

  beforeAll(async () => {
    receiver = await openMoodyReceiver();
    program = await startProgram({
      env: {
        JOBS_DIR,
        ADMIN_TOKEN: ADMIN.authorization.slice("Bearer ".length),
        MAX_BODY_BYTES: String(MAX_BODY_BYTES),
      },
    });
    const document = await fetch(`${program.url}/swagger/json`);
    const served = (await document.json()) as ServedDocument;
    judge = createDocumentJudge(served);
    frameFields = frameFieldsIn(served);
    const body = JSON.stringify({
      appName: "documented",
      linkUrl: receiver.url,
      step: 0,
      retryTotal: 0,
    });
    const created = await ask("createApplication", "/application/create", { body, headers: ADMIN });
    const { data } = JSON.parse(created.text) as { data: { appKey: string; secretKey: string } };
    secretKey = data.secretKey;
    client = clientOf(program.url, { appKey: data.appKey, secret: data.secretKey });
  });
  afterAll(async () => {
    await program.stop();
    receiver.close();
  });

  /** One request; its answer is held against the document. */
  async function ask(id: string, path: string, request: Request): Promise<LiveAnswer> {
    const { method = "POST", headers = {}, body } = request;
    const init = {
      method,
      headers: { ...JSON_TYPE, ...headers },
      ...(body !== undefined && { body }),
    };
    const response = await fetch(program.url + path, init);
    const answer = {
      status: response.status,
      headers: response.headers,
      text: await response.text(),
    };
    judge.hold(id, answer);
    return answer;
  }

  function signed(id: string, path: string, request: Request = {}): Promise<LiveAnswer> {
    const { method = "POST", headers = {}, body = "" } = request;
    const proof = signedHeaders(client, `${method} ${path}\n${body}`);
    return ask(id, path, { ...request, headers: { ...headers, ...proof } });
  }

  async function call(id: string, path: string, fields: object): Promise<Record<string, unknown>> {
    const { text } = await signed(id, path, { body: JSON.stringify(fields) });
    return JSON.parse(text).data as Record<string, unknown>;
  }

  /** Creates a task; resolves to its id. */
  async function create(fields: object): Promise<number> {
    const task = { taskNo: randomUUID(), name: "documented", timeout: 30_000, ...fields };
    return Number((await call("createTask", "/task/create", task))["taskId"]);
  }

  const act = (action: object, more: object = {}) =>
    create({ content: { class: "action", params: action }, ...more });

  /** Both ways to look at it, and its attempts. */
  async function look(id: number): Promise<void> {
    const { text } = await signed("getTaskDetail", `/task/detail?id=${id}`, { method: "GET" });
    const { trace_list: frames = "[]" } = JSON.parse(text).data;
    for (const frame of JSON.parse(frames)) {
      const always = [...frameFields].filter(([name, isAlways]) => isAlways || name in frame);
      expect(Object.keys(frame).sort()).toEqual(always.map(([name]) => name).sort());
    }
    await call("postTaskDetail", "/task/detail", { id, ...MISSPELT });
    await signed("getTaskAttempts", `/task/${id}/attempts`, { method: "GET" });
  }

  test.each([
    ["that returned", { do: "return", value: { any: [1, "two"] } }],
    ["that threw", { do: "throw" }],
    ["that threw several errors", { do: "throw-many" }],
    ["that threw a text", { do: "throw-text", value: "a text" }],
    ["that ended its thread", { do: "exit", value: 3 }],
    ["that took steps", { do: "steps" }],
    ["that was still running at its timeout", { do: "watch-and-spin", value: { page: 3 } }],
  ])("of a task %s", async (_, action) => {
    const id = await act(action, action.do === "watch-and-spin" ? { timeout: 500 } : {});
    await client.until(id, isEnded);
    await look(id);
    await watch(id);
    expect(
      await call("publishTask", "/nsq/publish", { task_id: id, force: true, ...MISSPELT }),
    ).toBeDefined();
  });

  /** Its stream to the end; each of its events is one of a trace. */
  async function watch(id: number): Promise<void> {
    const { text } = await signed("watchTask", `/task/${id}/events`, { method: "GET" });
    const events = text.split("\n\n").filter((block) => block.startsWith("id: "));
    expect(events.length).toBeGreaterThan(0);
    for (const event of events) {
      judge.holdSchema("TraceEvent", JSON.parse(event.split("\ndata: ")[1] ?? ""));
    }
  }

  test.each([
    { do: "watch-and-spin", value: { page: 3 } },
    { do: "await-own", value: 100_000 },
    { do: "progress-and-wait" },
    { do: "wait-in-places" },
    { do: "block", value: 60 },
  ])("of a task that runs and is cancelled: $do", async (action) => {
    const id = await act(action);
    const leastPlaces = action.do === "wait-in-places" ? 2 : 0;
    await client.until(
      id,
      ({ status, waiting_points }) => status === "running" && waiting_points.length >= leastPlaces,
    );
    await look(id);
    await call("publishTask", "/nsq/publish", { task_id: id });
    await call("cancelTask", "/task/cancel", { id, mode: "graceful", waitMs: 0, ...MISSPELT });
    await call("cancelTask", "/task/cancel", { id, ...MISSPELT });
    await client.until(id, isEnded);
    await call("cancelTask", "/task/cancel", { id });
    await look(id);
  });

  test("of a task that is due later, comes twice, or names nothing that is there", async () => {
    const runtime = Math.floor(Date.now() / 1_000) + 3_600;
    const taskNo = randomUUID();
    const id = await act({ do: "nothing" }, { taskNo, runtime, unknown: 1 });
    await look(id);
    await act({ do: "nothing" }, { taskNo, runtime: runtime + 1 });
    await create({ content: { class: "no-such-job" } });
    await call("createTicket", `/task/${id}/ticket`, {});
    await call("publishTask", "/nsq/publish", { task_id: id });
    const { warnings, ...rest } = await call("cancelTask", "/task/cancel", { id, ...MISSPELT });
    expect(rest).toEqual({});
    expect(warnings).toHaveLength(1);
    await look(id + 1_000);
    await call("cancelTask", "/task/cancel", { id: id + 1_000 });
    await call("publishTask", "/nsq/publish", { task_id: id + 1_000 });
  });

  test.each(["deliver", "refuse", "hold"])("of a callback: %s", async (mood) => {
    const before = receiver.heard.length;
    const id = await create({ content: { mood, order: 7 } });
    const request = await eventually(() => receiver.heard[before]);
    judge.holdCallback(request);
    await look(id);
    if (mood === "hold") await call("cancelTask", "/task/cancel", { id });
    await client.until(id, isEnded);
    await look(id);
    await ask("listHosts", "/api/v1/hosts", { method: "GET", headers: ADMIN });
    await ask("listJobs", "/api/v1/jobs", { method: "GET", headers: ADMIN });
    await signed("listJobs", "/api/v1/jobs", { method: "GET" });
  });

  test("of what else there is", async () => {
    await ask("healthz", "/healthz", { method: "GET" });
    await ask("readyz", "/readyz", { method: "GET" });
    const body = JSON.stringify({ app_key: client.appKey, secret_key: secretKey, ...MISSPELT });
    await ask("refreshSignature", "/application/refresh-signature", { body });
    const path = `/api/v1/applications/${client.appKey}/rotate`;
    await ask("rotateApplication", path, { body: `{"graceSeconds":3600}`, headers: ADMIN });
    await ask("rotateApplication", "/api/v1/applications/nobody/rotate", {
      body: `{"graceSeconds":0}`,
      headers: ADMIN,
    });
    await ask("rotateApplication", "/api/v1/applications/%00/rotate", {
      body: `{"graceSeconds":0}`,
      headers: ADMIN,
    });
    await signed("watchTask", "/task/999999/events", { method: "GET" });
    // Another method is a failure of the path.
    await ask("rotateApplication", path, { method: "GET" });
    await ask("createTask", "/task/create", { method: "GET" });
  });

  /** Where bodies go. */
  const posts = () => [
    { id: "createApplication", path: "/application/create", headers: ADMIN },
    { id: "refreshSignature", path: "/application/refresh-signature" },
    {
      id: "rotateApplication",
      path: `/api/v1/applications/${client.appKey}/rotate`,
      headers: ADMIN,
    },
    { id: "createTask", path: "/task/create", isSigned: true },
    { id: "cancelTask", path: "/task/cancel", isSigned: true },
    { id: "postTaskDetail", path: "/task/detail", isSigned: true },
    { id: "publishTask", path: "/nsq/publish", isSigned: true },
    { id: "createTicket", path: "/task/1/ticket", isSigned: true },
  ];
  const gets = () => [
    { id: "getTaskDetail", path: "/task/detail?id=1" },
    { id: "getTaskAttempts", path: "/task/1/attempts" },
    { id: "watchTask", path: "/task/1/events" },
  ];

  test("of bodies that are wrong, too large, of another kind, or of nobody", async () => {
    for (const { id, path, isSigned, headers = {} } of posts()) {
      const send = isSigned ? signed : ask;
      await send(id, path, { headers, body: "{}" });
      await send(id, path, { headers, body: " ".repeat(MAX_BODY_BYTES + 1) });
      const type = { "content-type": "application/x-www-form-urlencoded" };
      await send(id, path, { headers: { ...headers, ...type }, body: "a=1" });
      const nobody = { app_key: "nobody", secret_key: "nobody" };
      await ask(id, path, { body: JSON.stringify(nobody) });
    }
  });

  test("of questions that are wrong, or of nobody", async () => {
    for (const { id, path } of gets()) await ask(id, path, { method: "GET" });
    await ask("listHosts", "/api/v1/hosts", { method: "GET" });
    await ask("listJobs", "/api/v1/jobs", { method: "GET" });
    await signed("getTaskDetail", "/task/detail", { method: "GET" });
    await signed("getTaskAttempts", "/task/x/attempts", { method: "GET" });
    const longId = `/task/1/events?lastEventId=${"9".repeat(65)}`;
    await signed("watchTask", longId, { method: "GET" });
  });

  test("while the database refuses every statement; and nothing that is documented was left out", async () => {
    loseColumns(join(program.folder, "data", "serendipity.db"));
    const application = JSON.stringify({ appName: "late", linkUrl: "http://127.0.0.1:1024/" });
    const credentials = JSON.stringify({ app_key: client.appKey, secret_key: secretKey });
    const bodies: Readonly<Record<string, string>> = {
      createApplication: application,
      refreshSignature: credentials,
      rotateApplication: `{"graceSeconds":0}`,
    };
    for (const { id, path, isSigned, headers = {} } of posts()) {
      const send = isSigned ? signed : ask;
      await unavailable(() => send(id, path, { headers, body: bodies[id] ?? "{}" }));
    }
    for (const { id, path } of gets()) await unavailable(() => signed(id, path, { method: "GET" }));
    await unavailable(() => ask("listHosts", "/api/v1/hosts", { method: "GET", headers: ADMIN }));
    await unavailable(() => ask("listJobs", "/api/v1/jobs", { method: "GET", headers: ADMIN }));
    await unavailable(() => ask("readyz", "/readyz", { method: "GET" }));
    expect(judge.unseen()).toEqual([]);
  });
});

/** Applications are kept for a moment in the memory of the program. */
async function unavailable(send: () => Promise<LiveAnswer>): Promise<void> {
  const last = { text: "nothing" };
  await eventually(async () => {
    const { status, text } = await send();
    last.text = text;
    return status === 503 ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(`never 503; last it was ${last.text}`, { cause: error });
  });
}
