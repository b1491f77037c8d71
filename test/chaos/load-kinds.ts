// What the load of a fault session does, one kind of story each; what they note is what the checkers judge.
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Envelope, signedHeaders } from "../support/api-client.ts";
import type { HistoryKind, Note } from "./history.ts";

interface Key {
  readonly appKey: string;
  readonly secret: string;
}

export interface LoadSpec {
  readonly apis: readonly string[];
  readonly key: Key;
  /** Another application, whose tasks these are not. */
  readonly stranger: Key;
  readonly history: string;
  readonly effects: string;
  readonly seed: number;
  readonly perSecond: number;
}

export interface Asking {
  readonly spec: LoadSpec;
  readonly note: (note: Note) => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Until an api answers. */
  readonly ask: <T>(path: string, body: unknown, isStranger?: boolean) => Promise<Envelope<T>>;
  readonly nextApi: () => string;
}

type Story = (asking: Asking) => Promise<void>;
type Body = Readonly<Record<string, unknown>>;

export const TIMEOUT_MS = 400;
/** Charged attempts of a task that always fails. */
export const FAILING_ATTEMPTS = 3;
const SCHEDULED_MS = 1_500;
const ENDLESS_MS = 600_000;
const LONG_MS = 7_000;
const CREATE = "/task/create";
const PUBLISH = "/nsq/publish";

const job: Story = (asking) =>
  create(asking, { kind: "job", content: jobContent(asking, asking.random() * 40) });
/** Longer than a lease, so that a successor runs while a frozen executor still believes in its own; few, for they keep slots. */
const long: Story = (asking) =>
  asking.random() < 0.4
    ? create(asking, { kind: "long", content: jobContent(asking, LONG_MS) })
    : job(asking);
const scheduled: Story = (asking) =>
  create(asking, { kind: "scheduled", content: jobContent(asking, 1), extra: later() });
const failing: Story = (asking) => {
  const extra = { retry: { max: FAILING_ATTEMPTS - 1 } };
  return create(asking, { kind: "failing", content: jobContent(asking, -1), extra });
};
const timingOut: Story = (asking) => {
  const extra = { timeout: TIMEOUT_MS, retry: { max: 0 } };
  return create(asking, { kind: "timing-out", content: jobContent(asking, ENDLESS_MS), extra });
};
const callback: Story = (asking) => create(asking, { kind: "callback", content: { mood: "good" } });
const refusedFirst: Story = (asking) =>
  create(asking, { kind: "refused-first", content: { mood: "refuse-first" } });
const redirecting: Story = (asking) => {
  const extra = { retry: { max: 1 } };
  return create(asking, { kind: "redirecting", content: { mood: "redirect" }, extra });
};

const cancelRunning: Story = async (asking) => {
  const content = jobContent(asking, ENDLESS_MS);
  const task = await createAndRepeat(asking, { kind: "cancel-running", content });
  await delay(200 + asking.random() * 300);
  await change(asking, "cancel", task);
};

const cancelWaiting: Story = async (asking) => {
  const task = await createWaiting(asking, "cancel-waiting");
  await change(asking, "cancel", task);
};

const redelivered: Story = async (asking) => {
  const task = await createWaiting(asking, "redelivered");
  await change(asking, "cancel", task);
  await change(asking, "redeliver", task);
};

/** What was caught on the wire and is sent again must begin no third life. */
const replayed: Story = async (asking) => {
  const { note, spec } = asking;
  const task = await createWaiting(asking, "redelivered");
  await change(asking, "cancel", task);
  const body = JSON.stringify({ task_id: task, force: true });
  const headers = signedHeaders(spec.key, `POST ${PUBLISH}\n${body}`);
  note({ op: "redeliver", kind: "invoke", task });
  const first = await send(asking, { path: PUBLISH, headers, body });
  if (first?.code !== 0) return note({ op: "replay", kind: "info", task });
  note({ op: "redeliver", kind: "ok", task });
  const again = await send(asking, { path: PUBLISH, headers, body });
  note({ op: "replay", kind: refused(again), task });
};

/** Signed as it must be, with a secret that is not the application's. */
const forged: Story = async (asking) => {
  const { spec, note } = asking;
  const whole = { ...bodyOf("forged", jobContent(asking, 1)), taskNo: randomUUID() };
  const body = JSON.stringify(whole);
  const key = { ...spec.key, secret: spec.stranger.secret };
  const headers = signedHeaders(key, `POST ${CREATE}\n${body}`);
  note({ op: "forge", kind: refused(await send(asking, { path: CREATE, headers, body })) });
};

const stranger: Story = async (asking) => {
  const { ask, note } = asking;
  const task = await createWaiting(asking, "job");
  const seen = await ask("/task/detail", { id: task }, true);
  const cancelled = await ask("/task/cancel", { id: task }, true);
  const isRefused = seen.code !== 0 && cancelled.code !== 0;
  note({ op: "stranger", kind: isRefused ? "ok" : "fail", task });
};

/** In the order in which they are done, over and over: the first ones make up most of the load. */
export const KINDS: readonly [Story, ...Story[]] = [
  ...([job, callback, cancelRunning, scheduled] as const),
  ...[job, failing, callback, cancelWaiting],
  ...[job, refusedFirst, timingOut, redelivered],
  ...[job, callback, cancelRunning, replayed],
  ...[job, callback, long, scheduled],
  ...[job, redirecting, cancelRunning, stranger],
  ...[job, callback, forged, failing],
];

interface Wanted {
  readonly kind: string;
  readonly content: Body;
  /** Other fields of the create. */
  readonly extra?: Body;
}

async function create(asking: Asking, wanted: Wanted): Promise<void> {
  await createAndRepeat(asking, wanted);
}

function createWaiting(asking: Asking, kind: string): Promise<number> {
  return createAndRepeat(asking, { kind, content: jobContent(asking, 1), extra: later() });
}

/** Resolves to the task's id; every tenth is created twice. */
async function createAndRepeat(asking: Asking, wanted: Wanted): Promise<number> {
  const { ask, note, random } = asking;
  const { kind, content, extra = {} } = wanted;
  const taskNo = randomUUID();
  const whole = content["class"] === undefined ? { ...content, order: taskNo } : content;
  const body = { ...bodyOf(kind, whole), taskNo, ...extra };
  const data = { kind, runAt: extra["runtime"] ?? null };
  note({ op: "create", kind: "invoke", taskNo, data });
  const created = await ask<{ taskId: number }>(CREATE, body);
  if (created.code !== 0) throw new Error(`${kind}: ${created.msg}`);
  const task = created.data.taskId;
  note({ op: "create", kind: "ok", task, taskNo, data });
  if (random() < 0.1) {
    const again = await ask<{ taskId: number }>(CREATE, body);
    const isSame = again.data.taskId === task;
    note({ op: "repeat", kind: isSame ? "ok" : "fail", task, taskNo });
  }
  return task;
}

async function change({ ask, note }: Asking, op: "cancel" | "redeliver", task: number) {
  note({ op, kind: "invoke", task });
  const { code, msg } =
    op === "cancel"
      ? await ask("/task/cancel", { id: task })
      : await ask(PUBLISH, { task_id: task });
  note({ op, kind: code === 0 ? "ok" : "fail", task, data: { msg } });
}

interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Once, to one api; undefined: nobody knows what became of it. */
async function send({ nextApi }: Asking, { path, headers, body }: Sent) {
  const all = { "content-type": "application/json", ...headers };
  const init = { method: "POST", headers: all, body };
  const response = await fetch(nextApi() + path, init).catch(() => undefined);
  if (response === undefined || response.status >= 500) return undefined;
  return (await response.json().catch(() => undefined)) as Envelope | undefined;
}

/** What must not be taken was refused (`ok`) or taken (`fail`). */
function refused(answer: Envelope<unknown> | undefined): HistoryKind {
  if (answer === undefined) return "info";
  return answer.code === 0 ? "fail" : "ok";
}

function bodyOf(name: string, content: Body) {
  return { name, content, timeout: 60_000, retry: { max: 10 } };
}

/** @param ms how long it runs; below 0: it throws */
function jobContent({ spec }: Asking, ms: number): Body {
  return { class: "effect", params: { file: spec.effects, ms: Math.round(ms) } };
}

function later(): Body {
  return { runtime: Date.now() + SCHEDULED_MS };
}
