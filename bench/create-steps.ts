// Where the time of a create goes: the steps of the real route, called one by one in this process.

import { randomUUID } from "node:crypto";
import { createBus, createQueue, createStore } from "../src/adapters.ts";
import { loadConfig } from "../src/config/config.ts";
import { linearRetry } from "../src/core/retry-policy.ts";
import { requestDigests } from "../src/core/same-request.ts";
import { createSecretBox, keyFromText, type SecretBox } from "../src/core/secret-box.ts";
import { bodyBoundPayload, createHeaderSet, readyMadePayload } from "../src/core/signature.ts";
import type { NewTask } from "../src/core/task.ts";
import { readContent } from "../src/core/task-content.ts";
import type { HeaderSet } from "../src/core/views/application.ts";
import type { ApiDeps } from "../src/http/deps.ts";
import { parseJsonBody } from "../src/http/json-body.ts";
import { createBodies } from "../src/http/raw-body.ts";
import { createHttpApp } from "../src/http/server.ts";
import { taskCreateRoute } from "../src/http/task-create.ts";
import type { Application, Store } from "../src/store/store.ts";
import { authenticate, type SignedRequest } from "../src/use-cases/authenticate.ts";
import { cacheApplications } from "../src/use-cases/cached-applications.ts";
import { createJobFinder } from "../src/use-cases/find-job.ts";
import { createTaskSubmitter } from "../src/use-cases/submit-task.ts";
import { sampleTask } from "../test/contract/store/samples.ts";
import type { BenchOptions } from "./options.ts";
import { type Cell, median, tableText } from "./report.ts";
import { createBody, NOOP, PARAMS } from "./sample.ts";
import { emptyFolder } from "./scratch.ts";

const SECRET = "the secret of the bench's application";
const PATH = "/task/create";
const BLOCKS = 5;
/** What 64 connections at once typically come to. */
const BATCH_ROWS = 32;

type Deps = ApiDeps & { readonly store: Store };

/** What every step is called with. */
interface Sample {
  readonly deps: Deps;
  readonly application: Application;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly bound: HeaderSet;
  readonly readyMade: HeaderSet;
}

/** Of one call. */
interface Micros {
  readonly passed: number;
  readonly worked: number;
}

type Step = readonly [what: string, call: () => unknown];

/** @param database URL of an empty MySQL database */
export async function measureCreateSteps(
  { stepCalls }: BenchOptions,
  database: string | undefined,
): Promise<string> {
  const deps = await openDeps();
  const sample = await prepare(deps);
  const rows: Cell[][] = [["", "µs each", "of it CPU"]];
  for (const [what, call] of [...stepsOf(sample), ...wholesOf(sample)]) {
    const { passed, worked } = await microsPerCall(call, stepCalls);
    rows.push([what, passed, worked]);
  }
  rows.push(...(await insertRows("SQLite", sample, stepCalls)));
  await close(deps);
  if (database !== undefined) {
    const mysql = await openDeps(database);
    rows.push(...(await insertRows("MySQL", await prepare(mysql), stepCalls)));
    await close(mysql);
  }
  return tableText(
    `Steps of a create, alone in one process, medians of ${BLOCKS} blocks of ${Math.round(stepCalls / BLOCKS)} calls`,
    rows,
  );
}

/** The steps in their order, each by itself. */
function stepsOf({ deps, application, text, bytes, bound, readyMade }: Sample): Step[] {
  const store = { applications: cacheApplications(deps.store.applications) };
  const signer = { ...deps.config, store, secretBox: deps.secretBox, nowMs: Date.now };
  const signedBy = (headers: HeaderSet): SignedRequest => ({
    method: "POST",
    target: PATH,
    body: bytes,
    headers,
  });
  const findJob = createJobFinder(deps.store.catalogue);
  const bodies = createBodies(deps.config);
  const readBody = async () => {
    const body = bodies.open(requestOf(text, bound), "bench");
    await body.read();
    body.release();
  };
  const call = { className: NOOP.name, field: "params", params: PARAMS } as const;
  const body = createBody("steps");
  const contentText = JSON.stringify(body.content);
  return [
    ["read the body", readBody],
    ["  of that, making the Request here", () => requestOf(text, bound)],
    ["check a body-bound signature", () => authenticate(signer, signedBy(bound))],
    ["check a ready-made signature", () => authenticate(signer, signedBy(readyMade))],
    ["  of that, opening the sealed secret", () => deps.secretBox.open(application.secretSealed)],
    ["parse the JSON, refuse what is ambiguous", () => parseJsonBody(bytes, "curl")],
    [
      "content and its sameness digest",
      () => requestDigests({ ...body, content: readContent(body.content, contentText) }, "UTC"),
    ],
    ["find the job and check the params", () => findJob(call)],
  ];
}

/** Larger and larger parts of the route, without the database. */
function wholesOf({ deps, application, text, readyMade }: Sample): Step[] {
  const submitter = { submit: async () => ({ taskId: 1 }) };
  const applications = cacheApplications(deps.store.applications);
  const bodies = createBodies(deps.config);
  const cached = { ...deps, store: { ...deps.store, applications }, submitter, bodies };
  const route = taskCreateRoute(cached);
  const app = createHttpApp({ ...deps, submitter });
  const inMemory = createTaskSubmitter({
    ...deps,
    store: { ...deps.store, tasks: { ...deps.store.tasks, create: acceptAll } },
    timezone: deps.config.timezone,
  });
  const answer = () => {
    const request = requestOf(text, readyMade);
    return route.answer({ request, url: new URL(request.url), params: {} });
  };
  return [
    ["the route without the use case", answer],
    ["the app without the use case (router, request id)", () => fetchFrom(app, text, readyMade)],
    ["the use case without the database", () => inMemory.submit(application, createBody("steps"))],
  ];
}

function fetchFrom(app: ReturnType<typeof createHttpApp>, text: string, headers: HeaderSet) {
  return app.fetch(requestOf(text, headers));
}

async function acceptAll(tasks: readonly NewTask[]) {
  return tasks.map(() => ({ kind: "created", id: 1 }) as const);
}

/** One row's share of a statement: with many rows, and alone. */
async function insertRows(
  database: string,
  { deps, application }: Sample,
  calls: number,
): Promise<Cell[][]> {
  const rows: Cell[][] = [];
  for (const size of [BATCH_ROWS, 1]) {
    const insert = () =>
      deps.store.tasks.create(Array.from({ length: size }, () => newTask(application)));
    const { passed, worked } = await microsPerCall(insert, Math.ceil(calls / 4 / Math.sqrt(size)));
    rows.push([`${database}: a row's share of an INSERT of ${size}`, passed / size, worked / size]);
  }
  return rows;
}

function newTask(application: Application): NewTask {
  const taskNo = randomUUID();
  const content = JSON.stringify(createBody(taskNo).content);
  const { id, retry } = application;
  return sampleTask(id, { taskNo, job: NOOP.name, content, retry });
}

async function openDeps(database?: string): Promise<Deps> {
  const secretKey = "a key that only the bench uses, 32+";
  const folder = await emptyFolder();
  const env = {
    DATA_DIR: folder,
    ...(database !== undefined && { DATABASE_URL: database, SECRET_KEY: secretKey }),
  };
  const config = loadConfig({ env, cwd: folder });
  const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const store = await createStore({ config, logger }, { poolSize: 10 });
  const queue = await createQueue({ config, logger }, []);
  return {
    config,
    logger,
    store,
    queue,
    bus: await createBus({ config, logger }, []),
    secretBox: createSecretBox(keyFromText(secretKey)),
    submitter: createTaskSubmitter({ store, queue, logger, timezone: config.timezone }),
    nowMs: Date.now,
    version: "bench",
    readiness: async () => ({ ready: true, checks: {} }),
  };
}

async function close({ store }: Deps): Promise<void> {
  await store.close();
}

/** The log line is made in the servers of the other part, not here: it would be printed between the figures. */
function ignore(): undefined {
  return undefined;
}

async function prepare(deps: Deps): Promise<Sample> {
  await deps.store.migrate();
  await deps.store.catalogue.publish("bench", [NOOP]);
  const application = await createApplication(deps.store, deps.secretBox);
  const text = JSON.stringify(createBody("round-0-000000001"));
  const bytes = Buffer.from(text);
  const from = { appKey: application.appKey, secret: SECRET, nowMs: Date.now() };
  const payload = bodyBoundPayload({ method: "POST", target: PATH, body: bytes });
  return {
    deps,
    application,
    text,
    bytes,
    bound: createHeaderSet({ ...from, payload }),
    readyMade: createHeaderSet({ ...from, payload: readyMadePayload(application.name) }),
  };
}

async function createApplication(store: Store, secretBox: SecretBox): Promise<Application> {
  const appKey = randomUUID();
  await store.applications.create({
    appKey,
    name: "bench",
    secretSealed: secretBox.seal(SECRET),
    linkUrl: "http://127.0.0.1/",
    callbackSecretSealed: null,
    retry: linearRetry(5, 5),
    successMatch: "body",
    remark: "",
    requireBodySignature: false,
  });
  const application = await store.applications.find(appKey);
  if (application === undefined) throw new Error("the application just created is not there");
  return application;
}

function requestOf(body: string, { appKey, ...signature }: HeaderSet): Request {
  const headers = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    app_key: appKey,
    ...signature,
  };
  return new Request(`http://127.0.0.1:9502${PATH}`, { method: "POST", headers, body });
}

/** One call after the other, the first block unmeasured; the time that passed, and what this process worked of it. */
async function microsPerCall(call: () => unknown, calls: number): Promise<Micros> {
  const perBlock = Math.ceil(calls / BLOCKS);
  const blocks: Micros[] = [];
  for (let block = 0; block <= BLOCKS; block++) {
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    for (let at = 0; at < perBlock; at++) await call();
    const { user, system } = process.cpuUsage(cpuBefore);
    const passed = ((performance.now() - startedAt) * 1000) / perBlock;
    blocks.push({ passed, worked: (user + system) / perBlock });
  }
  const measured = blocks.slice(1);
  return {
    passed: median(measured.map(({ passed }) => passed)),
    worked: median(measured.map(({ worked }) => worked)),
  };
}
