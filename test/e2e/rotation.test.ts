// Secrets and retries through the whole program: what a real receiver verifies before, during and after a rotation.
import { expect, setDefaultTimeout } from "bun:test";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { clientOf, isEnded } from "../support/api-client.ts";
import { collectHeard } from "../support/heard.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

setDefaultTimeout(TEST_LIMIT_MS);

interface Delivery {
  readonly headers: Record<string, string>;
  readonly body: string;
}
interface Created {
  readonly appKey: string;
  readonly secretKey: string;
  readonly callbackSecret: string;
}

let program: Program;
const heard = collectHeard<Delivery>();
/** What the receiver answers, in turn; afterwards `success`. */
const answers: (readonly [number, string])[] = [];
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("utf8");
    heard.hear({ headers: request.headers as Record<string, string>, body });
    const [status, text] = answers.shift() ?? [200, "success"];
    response.writeHead(status, { "retry-after": "1" }).end(text);
  });
});

beforeAll(async () => {
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  program = await startProgram({});
});
afterAll(async () => {
  await program.stop();
  receiver.closeAllConnections();
  receiver.close();
});

async function send(path: string, body: unknown): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  return (await fetch(program.url + path, init)).json();
}

async function createApplication(extra: object = {}): Promise<Created> {
  const linkUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const body = { appName: "rotated", linkUrl, ...extra };
  return ((await send("/application/create", body)) as { data: Created }).data;
}

async function rotate(appKey: string, graceSeconds: number): Promise<Created> {
  const path = `/api/v1/applications/${appKey}/rotate`;
  return { ...((await send(path, { graceSeconds })) as Created), appKey };
}

/** Delivers one task; resolves to what the receiver got, attempt by attempt. */
async function deliver(keys: Created, extra: object = {}): Promise<readonly Delivery[]> {
  const client = clientOf(program.url, { appKey: keys.appKey, secret: keys.secretKey });
  const before = heard.all.length;
  const task = { name: "x", content: { order: 7 }, timeout: 5_000, taskNo: `no-${before}` };
  const { data } = await client.post<{ taskId: number }>("/task/create", { ...task, ...extra });
  expect((await client.until(data.taskId, isEnded)).status).toBe("succeeded");
  return heard.all.slice(before);
}

function accepts(secret: string, { headers, body }: Delivery): boolean {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

describe("callbacks", () => {
  test("are verified with the secret of the day, and in the grace with either", async () => {
    const first = await createApplication();
    const [before] = await deliver(first);
    const second = await rotate(first.appKey, 3_600);
    const [during] = await deliver(first, { taskNo: "with the old secret" });
    const third = await rotate(first.appKey, 0);
    const [after] = await deliver(third);
    const secrets = [first, second, third].map(({ callbackSecret }) => callbackSecret);
    const takenBy = (delivery: Delivery | undefined) =>
      secrets.map((secret) => delivery !== undefined && accepts(secret, delivery));
    expect(takenBy(before)).toEqual([true, false, false]);
    expect(takenBy(during)).toEqual([true, true, false]);
    expect(takenBy(after)).toEqual([false, false, true]);
    expect(during?.headers["signature-previous"]).toBeString();
    expect(after?.headers).not.toHaveProperty("signature-previous");
  });

  test("keep their id over the attempts of a life, with a time of each, and fail with a fingerprint", async () => {
    const keys = await createApplication({ step: 0 });
    answers.push([503, "busy"], [200, "not yet"]);
    const attempts = await deliver(keys, { retry: { strategy: "fixed", step: 0, max: 3 } });
    const ids = attempts.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^msg_[0-9a-f]{32}_1$/);
    const times = attempts.map(({ headers }) => Number(headers["webhook-timestamp"]));
    // The receiver asked for a second of peace.
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1);
    for (const attempt of attempts) expect(accepts(keys.callbackSecret, attempt)).toBe(true);
    const client = clientOf(program.url, { appKey: keys.appKey, secret: keys.secretKey });
    const taskId = Number(attempts[0]?.headers["task-id"]);
    const { data } = await client.post<{ attempts: { error: { fingerprint: string } | null }[] }>(
      "/task/detail",
      { id: taskId },
    );
    const { port } = receiver.address() as AddressInfo;
    expect(data.attempts.map(({ error }) => error?.fingerprint ?? null)).toEqual([
      `127.0.0.1:${port} 503`,
      `127.0.0.1:${port} body_not_success`,
      null,
    ]);
  });
});
