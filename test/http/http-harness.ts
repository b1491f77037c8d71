// The whole HTTP app in this process on a real SQLite store, with a caller that signs on its own.
import { createHash, createHmac, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "../../src/bus/bus.ts";
import { createLocalBus } from "../../src/bus/local.ts";
import type { JobDefinition } from "../../src/core/job.ts";
import { createSecretBox } from "../../src/core/secret-box.ts";
import type { HttpApp } from "../../src/http/app.ts";
import type { ApiDeps } from "../../src/http/deps.ts";
import { type ApiApp, createHttpApp } from "../../src/http/server.ts";
import { createLocalQueue } from "../../src/queue/local.ts";
import { createSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { createTaskSubmitter } from "../../src/use-cases/submit-task.ts";
import { createRecordedLog, type RecordedLog } from "../support/recorded-log.ts";

export const ORIGIN = "http://127.0.0.1:9502";

/** An application's credentials. */
export interface Keys {
  readonly appKey: string;
  readonly secretKey: string;
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The envelope; fails when the text is none. */
  readonly body: { readonly code: number; readonly msg: string; readonly data: unknown };
}

export interface Harness {
  readonly app: ApiApp;
  /** What the app was made of: for another one on the same store. */
  readonly deps: ApiDeps;
  readonly store: Store;
  readonly bus: Bus;
  readonly log: RecordedLog;
  /** The app as another process would have it: the same store and key, with a memory of its own. */
  another(): HttpApp;
  ask(path: string, init?: RequestInit): Promise<Answer>;
  /** A JSON body; text is sent as it is. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The same, signed for its body. */
  postSigned(keys: Keys, path: string, body: unknown): Promise<Answer>;
  createApplication(extra?: Record<string, unknown>): Promise<Keys & Record<string, string>>;
  close(): Promise<void>;
}

const CONFIG: ApiDeps["config"] = {
  host: "127.0.0.1",
  port: 9502,
  adminToken: null,
  timezone: "Asia/Shanghai",
  signatureTtlS: 86_400,
  legacyPayloadUntil: null,
  maxBodyBytes: 1 << 20,
  maxBodiesMb: 64,
  callbackPorts: [],
  callbackAllow: null,
  shape: "embedded",
  leaseMs: 15_000,
};

/** The job every harness's catalogue knows. */
const GREET: JobDefinition = {
  name: "greet",
  aliases: ["\\Demo\\Greet"],
  params: {
    type: "object",
    properties: { who: { type: "string" } },
    required: ["who"],
  },
  timeoutMs: null,
  retry: null,
  isolation: "warm",
  sourceHash: "00",
  untraced: [],
};

/** An app of its own; `close` removes what it stored. */
export async function createHarness(
  overrides: Partial<ApiDeps["config"]> = {},
  more: Partial<ApiDeps> = {},
): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), "http-test-"));
  const store = createSqliteStore({ path: join(folder, "test.db") });
  await store.migrate();
  await store.catalogue.publish("test-executor", [GREET]);
  const log = createRecordedLog();
  const config = { ...CONFIG, ...overrides };
  const queue = createLocalQueue({ links: [] });
  const bus = createLocalBus({ links: [] });
  const { timezone } = config;
  const deps: ApiDeps = {
    config,
    store,
    queue,
    bus,
    logger: log,
    secretBox: createSecretBox(randomBytes(32)),
    submitter: createTaskSubmitter({ store, queue, logger: log, timezone }),
    nowMs: Date.now,
    version: "0.0.0-test",
    readiness: async () => ({ ready: true, checks: { database: "up" } }),
    ...more,
  };
  const app = createHttpApp(deps);
  return {
    app,
    deps,
    store,
    bus,
    log,
    another: () => createHttpApp(deps),
    ...callsTo(app),
    close: async () => {
      await queue.close();
      await bus.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function callsTo(app: HttpApp): Pick<Harness, "ask" | "post" | "postSigned" | "createApplication"> {
  const ask = async (path: string, init?: RequestInit) =>
    readAnswer(await app.fetch(new Request(ORIGIN + path, init)));
  const post: Harness["post"] = (path, body, headers = {}) =>
    ask(path, {
      method: "POST",
      body: textOf(body),
      headers: { "content-type": "application/json", ...headers },
    });
  return {
    ask,
    post,
    postSigned: (keys, path, body) =>
      post(path, body, signatureFor(keys, { method: "POST", path, body: textOf(body) })),
    createApplication: async (extra = {}) => {
      const body = { appName: `test ${randomUUID()}`, linkUrl: "http://127.0.0.1:1024/", ...extra };
      const answer = await post("/application/create", body);
      return answer.body.data as Keys & Record<string, string>;
    },
  };
}

function textOf(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}

/** Reads a response whole. */
export async function readAnswer(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  return {
    status,
    headers,
    text,
    get body() {
      return JSON.parse(text) as Answer["body"];
    },
  };
}

/** What a request is signed for; its parts can be set to something wrong. */
export interface ToSign {
  readonly method: string;
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly nonce?: string;
  readonly timestamps?: string;
  readonly payload?: string;
}

/** The five headers of a request, by the formula of the documentation. */
export function signatureFor(keys: Keys, request: ToSign): Record<string, string> {
  const bound = createHash("sha256").update(`${request.method} ${request.path}\n`);
  const {
    nonce = randomUUID(),
    timestamps = String(Math.floor(Date.now() / 1000)),
    payload = bound.update(request.body ?? "").digest("hex"),
  } = request;
  const hex = createHmac("sha256", keys.secretKey)
    .update(timestamps + nonce + payload)
    .digest("hex");
  const signature = Buffer.from(hex).toString("base64");
  return { app_key: keys.appKey, nonce, timestamps, payload, signature };
}
