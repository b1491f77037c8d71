// The Swagger page in a real browser: it renders under its policy, and "Try it out" sends signed calls that work.

import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import openapi from "../../docs/openapi.json";
import { type ListeningServer, listen } from "../../src/http/listen.ts";
import { createHarness, type Harness } from "../http/http-harness.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { declareSkipped } from "../support/skipped.ts";

/** As many as the document has. */
const OPERATIONS = Object.values(openapi.paths).flatMap((path) => Object.keys(path)).length;
const CHROMIUM = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
/** A browser on a busy machine takes its time. */
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
    harness = await createHarness({ adminToken: "admin token of the page" });
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
    expect(await page.locator(".opblock-summary").count()).toBe(OPERATIONS);
    await page.locator("#operations-tasks-createTask .opblock-summary-control").click();
    await page.locator("#operations-tasks-createTask .execute").waitFor();
    expect(complaints).toEqual([]);
    expect([...origins]).toEqual([`http://127.0.0.1:${server.port}`]);
    await page.close();
  });

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
    expect(await execute(page, "tasks-createTask", text)).toContain('"code": 1');

    await authorize(page, "admin token of the page");
    expect(await execute(page, "applications-createApplication")).toContain('"secretKey"');
    expect(await page.locator("#signer-state").textContent()).toStartWith("Calls are signed as ");

    expect(await execute(page, "tasks-createTask", text)).toContain('"taskId": 1');
    const kept = '{"hello":"世界","id":9007199254740993,"price":1.0}';
    const stored = await harness.store.tasks.find({ applicationId: 1, id: 1 });
    expect(stored?.task).toMatchObject({ taskNo: "页-1", content: kept });

    const operation = "tasks-getTaskDetail";
    await open(page, operation);
    await page.locator(`#operations-${operation} tr[data-param-name="taskNo"] input`).fill("页-1");
    const shown = await execute(page, operation);
    expect(shown).toContain('"taskNo": "页-1"');
    expect(shown).toContain('"id": 9007199254740993');
    expect(shown).toContain('"price": 1.0');
    await page.close();
  });

  test("keeps key and secret in memory only, and forgets them", async () => {
    const { page } = await visit();
    await page.locator("#app-key").fill("someKey");
    await page.locator("#secret-key").fill("someSecret");
    expect(await page.locator("#signer-state").textContent()).toBe("Calls are signed as someKey.");
    const kept = await page.evaluate<string>(
      "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])",
    );
    expect(kept).not.toMatch(/someKey|someSecret/);
    await page.locator("#forget").click();
    expect(await page.locator("#secret-key").inputValue()).toBe("");
    await page.close();
  });

  test("says that it cannot sign where the browser has no cryptography", async () => {
    const { page } = await visit(FOREIGN_NAME);
    expect(await page.locator("#signer-state").textContent()).toContain("This page cannot sign");
    await page.close();
  });
}

async function open(page: Page, operation: string): Promise<void> {
  const block = page.locator(`#operations-${operation}`);
  if (await block.locator(".execute").isVisible()) return;
  await block.locator(".opblock-summary-control").click();
  await block.locator(".execute").waitFor();
}

/** Sends what the operation's form holds, after `body` when given, and answers the shown response. */
async function execute(page: Page, operation: string, body?: string): Promise<string> {
  await open(page, operation);
  const block = page.locator(`#operations-${operation}`);
  if (body !== undefined) await block.locator("textarea.body-param__text").fill(body);
  const answered = page.waitForResponse((response) => !response.url().includes("/swagger"));
  await block.locator(".execute").click();
  const sent = await (await answered).text();
  const shown = block
    .locator(".live-responses-table .response .response-col_description pre")
    .first();
  // The page shows an answer a moment after it has it; the new one is there when its data are.
  await shown.filter({ hasText: JSON.stringify(JSON.parse(sent).msg) }).waitFor();
  return (await shown.textContent()) ?? "";
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
