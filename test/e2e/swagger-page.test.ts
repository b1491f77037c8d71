// The Swagger page in a real browser: it renders under its policy, and "Try it out" sends signed calls that work.

import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import openapi from "../../docs/openapi.json";
import { type ListeningServer, listen } from "../../src/http/listen.ts";
import { createHarness, type Harness, type Keys } from "../http/http-harness.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { declareSkipped } from "../support/skipped.ts";

/** All that the document has. */
const OPERATION_IDS = Object.values(openapi.paths)
  .flatMap((path) => Object.values(path))
  .map(({ operationId }: { operationId: string }) => operationId)
  .sort();
const ADMIN_TOKEN = "admin token of the page";
const CHROMIUM = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
/** A name that is no localhost: browsers call its pages insecure. */
const FOREIGN_NAME = "api.test";

/** A page with what went wrong on it and where it asked. */
interface Visit {
  readonly page: Page;
  readonly complaints: readonly string[];
  readonly origins: ReadonlySet<string>;
}

function suite(): void {
  let browser: Browser;
  let harness: Harness;
  let server: ListeningServer;
  beforeAll(async () => {
    harness = await createHarness({ adminToken: ADMIN_TOKEN });
    server = await listen(harness.app, { host: "127.0.0.1", port: 0 });
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", `--host-resolver-rules=MAP ${FOREIGN_NAME} 127.0.0.1`],
    });
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
    await harness.close();
  });

  async function visit(host = "127.0.0.1"): Promise<Visit> {
    const page = await browser.newPage();
    const complaints: string[] = [];
    const origins = new Set<string>();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol !== "data:") origins.add(url.origin);
    });
    await page.goto(`http://${host}:${server.port}/swagger`);
    await page.locator(".opblock-summary").first().waitFor();
    return { page, complaints, origins };
  }

  test("shows every route without breaking its policy or asking anybody else", async () => {
    const { page, complaints, origins } = await visit();
    expect(await page.locator(".opblock-summary").count()).toBe(OPERATION_IDS.length);
    await page.locator("#operations-tasks-createTask .opblock-summary-control").click();
    await page.locator("#operations-tasks-createTask .execute").waitFor();
    expect(complaints).toEqual([]);
    expect([...origins]).toEqual([`http://127.0.0.1:${server.port}`]);
    await page.close();
  });

  test("is where a browser gets that is given no path", async () => {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.port}/`);
    expect(page.url()).toBe(`http://127.0.0.1:${server.port}/swagger`);
    await page.close();
  });

  /** An application of its own, not entered on any page yet. */
  async function newKeys(): Promise<Keys> {
    const body = { appName: crypto.randomUUID(), linkUrl: "http://127.0.0.1:1024/" };
    const answer = await harness.post("/application/create", body, {
      authorization: `Bearer ${ADMIN_TOKEN}`,
    });
    return answer.body.data as Keys;
  }

  test("an unsigned call is refused, a signed one works, from creating an application to its task", async () => {
    const { page } = await visit();
    const task = {
      taskNo: "页-1",
      name: "from the page",
      content: { hello: "世界" },
      timeout: 1000,
    };
    const text = JSON.stringify(task, null, 2).replace(
      '"世界"',
      '"世界", "id": 9007199254740993, "price": 1.0',
    );
    expect(await execute(page, "createTask", { body: text })).toMatchObject({ status: 401 });

    await authorize(page, ADMIN_TOKEN);
    expect((await execute(page, "createApplication")).shown).toContain('"secretKey"');
    expect(await page.locator("#signer-state").textContent()).toStartWith("Calls are signed as ");

    const created = await execute(page, "createTask", { body: text });
    const { taskId } = JSON.parse(created.sent).data;
    const kept = '{"hello":"世界","id":9007199254740993,"price":1.0}';
    const stored = await harness.store.tasks.find({ applicationId: 1, id: taskId });
    expect(stored?.task).toMatchObject({ taskNo: "页-1", content: kept });

    const { shown } = await execute(page, "getTaskDetail", { fields: { taskNo: "页-1" } });
    expect(shown).toContain('"taskNo": "页-1"');
    expect(shown).toContain('"id": 9007199254740993');
    expect(shown).toContain('"price": 1.0');
    await page.close();
  });

  test("every operation of the document works from the page", async () => {
    const { page } = await visit();
    await authorize(page, ADMIN_TOKEN);
    const executed = new Set<string>();
    const run = async (id: string, form: FilledForm = {}) => {
      executed.add(id);
      const answer = await execute(page, id, form);
      expect([id, answer.status]).toEqual([id, 200]);
      return answer.sent;
    };
    const { appKey, secretKey } = JSON.parse(await run("createApplication")).data;
    const task = { taskNo: "every", name: "every", content: { a: 1 }, timeout: 1000 };
    const later = JSON.stringify({ ...task, runtime: Date.now() + 3_600_000 });
    const id = String(JSON.parse(await run("createTask", { body: later })).data.taskId);
    const fields = { id };
    expect(await run("getTaskDetail", { fields })).toContain('"every"');
    expect(await run("postTaskDetail", { body: `{"id":${id}}` })).toContain('"every"');
    expect(await run("createTicket", { fields })).toContain('"ticket"');
    expect(await run("cancelTask", { body: `{"id":${id}}` })).toContain('"code":0');
    expect(await run("watchTask", { fields })).toContain("event: end");
    expect(await run("getTaskAttempts", { fields })).toContain('"attempts"');
    expect(await run("publishTask", { body: `{"task_id":${id}}` })).toContain('"code":0');
    const body = JSON.stringify({ app_key: appKey, secret_key: secretKey });
    expect(await run("refreshSignature", { body })).toContain('"signature"');
    expect(await run("listHosts")).toContain("[");
    expect(await run("listJobs")).toContain('"greet"');
    const rotated = { fields: { app_key: appKey }, body: '{"graceSeconds":0}' };
    expect(await run("rotateApplication", rotated)).toContain('"secretKey"');
    expect(await run("getTaskDetail", { fields })).toContain('"every"');
    await run("healthz");
    await run("readyz");
    expect([...executed].sort()).toEqual(OPERATION_IDS);
    await page.close();
  });

  test("an application rotates its own secrets, and the page signs on with the new one", async () => {
    const { appKey, secretKey } = await newKeys();
    const { page } = await visit();
    await page.locator("#application").fill(`${appKey} ${secretKey}`);
    const rotated = { fields: { app_key: appKey }, body: '{"graceSeconds":0}' };
    for (const _again of [1, 2]) {
      expect(await execute(page, "rotateApplication", rotated)).toMatchObject({ status: 200 });
    }
    const { status, sent } = await execute(page, "getTaskDetail", { fields: { id: "999999" } });
    expect([status, JSON.parse(sent).msg]).toEqual([200, "Unknown!"]);
    await page.close();
  });

  test("an operator rotates another application with the token, and keeps signing as before", async () => {
    const [own, other] = [await newKeys(), await newKeys()];
    const { page } = await visit();
    await authorize(page, ADMIN_TOKEN);
    await page.locator("#application").fill(JSON.stringify(own, null, 2));
    const rotated = { fields: { app_key: other.appKey }, body: '{"graceSeconds":0}' };
    expect(await execute(page, "rotateApplication", rotated)).toMatchObject({ status: 200 });
    expect(await page.locator("#signer-state").textContent()).toContain(own.appKey);
    const detail = await execute(page, "getTaskDetail", { fields: { id: "999999" } });
    expect(detail.status).toBe(200);
    await page.close();
  });

  test.each([
    ["two words", "someKey some-Secret_1"],
    ["two lines", "someKey\nsome-Secret_1\n"],
    ["a colon between", "someKey:some-Secret_1"],
    ["settings", "APP_KEY=someKey\nSECRET_KEY=some-Secret_1"],
    ["the answer of create", '{"code":0,"data":{"appKey":"someKey","secretKey":"some-Secret_1"}}'],
    ["the body of refresh", '{\n "app_key": "someKey",\n "secret_key": "some-Secret_1"\n}'],
  ])("one box takes both: %s", async (_form, pasted) => {
    const { page } = await visit();
    await page.locator("#application").fill(pasted);
    expect(await page.locator("#signer-state").textContent()).toBe("Calls are signed as someKey.");
    await page.close();
  });

  test("names the jobs that exist as soon as calls are signed, and says why it names none", async () => {
    const { page } = await visit();
    const line = page.locator("#jobs");
    expect(await line.textContent()).toContain("once calls are signed");
    const { appKey, secretKey } = await newKeys();
    await enter(page, `${appKey} ${secretKey}`);
    await line.filter({ hasText: "Jobs: greet (also \\Demo\\Greet)" }).waitFor();
    await enter(page, `${appKey} wrong`);
    await line.filter({ hasText: "not accepted" }).waitFor();
    await page.close();
  });

  test("says what is missing in the box", async () => {
    const { page } = await visit();
    await page.locator("#application").fill("onlyTheKey");
    expect(await page.locator("#signer-state").textContent()).toContain("Both are needed");
    await page.close();
  });

  test("keeps key and secret in memory only, and forgets them", async () => {
    const { page } = await visit();
    await page.locator("#application").fill("someKey someSecret");
    const kept = await page.evaluate<string>(
      "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])",
    );
    expect(kept).not.toMatch(/someKey|someSecret/);
    await page.locator("#forget").click();
    expect(await page.locator("#application").inputValue()).toBe("");
    await page.close();
  });

  test("signs on plain http with a host name too, where the browser has no cryptography", async () => {
    const { appKey, secretKey } = await newKeys();
    const { page, complaints } = await visit(FOREIGN_NAME);
    expect(await page.evaluate<string>("typeof crypto.subtle")).toBe("undefined");
    await page.locator("#application").fill(`${appKey} ${secretKey}`);
    const { status, sent } = await execute(page, "getTaskDetail", { fields: { id: "999999" } });
    expect([status, JSON.parse(sent).msg]).toEqual([200, "Unknown!"]);
    expect(complaints).toEqual([]);
    await page.close();
  });
}

/** Pastes into the box and leaves it. */
async function enter(page: Page, text: string): Promise<void> {
  await page.locator("#application").fill(text);
  await page.locator("#application").blur();
}

/** What is written into an operation's form; what is left out stays as the page has it. */
interface FilledForm {
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function open(page: Page, operation: string): Promise<Locator> {
  const block = page.locator(`.opblock[id$="-${operation}"]`);
  if (!(await block.locator(".execute").isVisible())) {
    await block.locator(".opblock-summary-control").click();
    await block.locator(".execute").waitFor();
  }
  return block;
}

/** Sends what the operation's form holds, and resolves with the answer and what the page shows of it. */
async function execute(page: Page, operation: string, { fields = {}, body }: FilledForm = {}) {
  const block = await open(page, operation);
  for (const [name, value] of Object.entries(fields)) {
    await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
  }
  if (body !== undefined) await block.locator("textarea.body-param__text").fill(body);
  // Its own files, and the jobs that it names by itself.
  const isOfPage = (url: string) =>
    url.includes("/swagger") || (url.endsWith("/api/v1/jobs") && operation !== "listJobs");
  const answered = page.waitForResponse((response) => !isOfPage(response.url()));
  await block.locator(".execute").click();
  const answer = await answered;
  const sent = await answer.text();
  // The page shows an answer a moment after it has it; its request id is the new one then.
  const table = block.locator(".live-responses-table");
  await table.filter({ hasText: answer.headers()["x-request-id"] ?? "no request id" }).waitFor();
  const shown = table.locator(".response .response-col_description pre").first();
  return { status: answer.status(), sent, shown: (await shown.textContent()) ?? "" };
}

async function authorize(page: Page, token: string): Promise<void> {
  await page.locator(".authorize.btn").first().click();
  const scheme = page.locator(".auth-container").filter({ hasText: "adminToken" }).first();
  await scheme.locator("input").fill(token);
  await scheme.locator("button.authorize").click();
  await page.locator(".btn-done").first().click();
}

if (existsSync(CHROMIUM)) describe("the Swagger page", suite);
else declareSkipped("the Swagger page", "needs chromium: install it, or name it by CHROMIUM_PATH");
