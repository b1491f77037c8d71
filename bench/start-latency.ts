// How late tasks start: planned ones after their time, others after they were sent.
import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient, Detail } from "../test/support/api-client.ts";
import { percentile } from "../test/support/latencies.ts";
import { createTasks, type DueAfter, readEnded, startedAt } from "./ended-tasks.ts";
import type { Cell } from "./report.ts";
import { NOOP, PARAMS } from "./sample.ts";

/** Far enough apart that no task waits for another one's slot. */
const APART_MS = 15;

/** Rows of ms: p50, p99, most. */
export async function measureStartLatency(
  client: ApiClient,
  dueAfter: DueAfter,
  tasks: number,
): Promise<Cell[][]> {
  const firstDueAt = dueAfter(tasks);
  const dueAt = Array.from({ length: tasks }, (_, at) => firstDueAt + at * APART_MS);
  const ids = await createTasks(client, NOOP.name, dueAt);
  if (Date.now() > firstDueAt)
    throw new Error("creating the tasks took longer than until they were due");
  const planned = await readEnded(client, ids);
  const sent = await createOneByOne(client, tasks);
  return [
    row(
      "claimed after the time it is due",
      planned,
      (detail, at) => startedAt(detail) - (dueAt[at] ?? 0),
    ),
    row(
      "job code begins after that time",
      planned,
      (detail, at) => beganAt(detail) - (dueAt[at] ?? 0),
    ),
    row(
      "due now: claimed after the request was sent",
      sent.details,
      (detail, at) => startedAt(detail) - (sent.sentAt[at] ?? 0),
    ),
  ];
}

async function createOneByOne(client: ApiClient, tasks: number) {
  const sentAt: number[] = [];
  const ids: number[] = [];
  for (let at = 0; at < tasks; at++) {
    sentAt.push(Date.now());
    ids.push(await client.createJob(NOOP.name, PARAMS));
    await delay(APART_MS);
  }
  return { sentAt, details: await readEnded(client, ids) };
}

function beganAt({ result }: Detail): number {
  return (result as { beganAt: number }).beganAt;
}

function row(
  what: string,
  details: readonly Detail[],
  lateMsOf: (detail: Detail, at: number) => number,
): Cell[] {
  const lateMs = details.map(lateMsOf);
  const early = lateMs.filter((ms) => ms < 0).length;
  if (early > 0) throw new Error(`${early} tasks started too early`);
  return [what, percentile(lateMs, 0.5), percentile(lateMs, 0.99), Math.max(...lateMs)];
}
