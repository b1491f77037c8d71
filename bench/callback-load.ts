// The load of the callback bench: receivers in a process of their own, a program that delivers to them, a bare loop.

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { linearRetry } from "../src/core/retry-policy.ts";
import { createSqliteStore } from "../src/store/sqlite/store.ts";
import type { Store } from "../src/store/store.ts";
import { sampleTask } from "../test/contract/store/samples.ts";
import { type Program, startProgram } from "../test/support/program.ts";
import type { Heard, ReceiverQuestion } from "./callback-receiver-process.ts";

const MOST_WAIT_MS = 60_000;
/** So long writing 10,000 tasks takes at most: they are all due at one moment behind it. */
const WRITE_10K_MS = 1_500;
const CONTENT = '{"order":7}';

export interface Receivers {
  open(options: { readonly delayMs: number; readonly isDead: boolean }): Promise<number>;
  /** What the port heard since it was asked last. */
  heard(port: number): Promise<Heard>;
  /** Waits until these ports together have heard so many; what they heard stays to be asked. */
  heardInAll(ports: readonly number[], total: number): Promise<void>;
  close(): void;
}

export function startReceivers(): Receivers {
  const child = fork(fileURLToPath(new URL("callback-receiver-process.ts", import.meta.url)));
  let asking: Promise<unknown> = Promise.resolve();

  /** One question at a time: answers carry no number. */
  function ask<T>(question: ReceiverQuestion): Promise<T> {
    const answered = asking.then(async () => {
      child.send(question);
      const [answer] = (await once(child, "message")) as [T];
      return answer;
    });
    asking = answered;
    return answered;
  }

  return {
    open: (options) => ask({ kind: "open", ...options }),
    heard: (port) => ask({ kind: "heard", port }),
    heardInAll: async (ports, total) => {
      const endAt = performance.now() + MOST_WAIT_MS;
      while (performance.now() < endAt) {
        const asked = ports.map((port) => ask<Heard>({ kind: "peek", port }));
        const sum = (await Promise.all(asked)).reduce((all, { count }) => all + count, 0);
        if (sum >= total) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`the receivers did not hear ${total} deliveries within ${MOST_WAIT_MS} ms`);
    },
    close: () => child.disconnect(),
  };
}

/** The embedded program, with its database open beside it. */
export interface Loaded {
  readonly program: Program;
  readonly store: Store;
  /** Ids of the applications, by the port they are delivered to. */
  readonly applications: Map<number, number>;
}

export async function withLoaded<T>(
  concurrency: number,
  work: (loaded: Loaded) => Promise<T>,
): Promise<T> {
  const env = { CALLBACK_CONCURRENCY: String(concurrency), LOG_LEVEL: "error" };
  const program = await startProgram({ env });
  const store = createSqliteStore({ path: join(program.folder, "data", "serendipity.db") });
  try {
    return await work({ program, store, applications: new Map() });
  } finally {
    await store.close();
    await program.stop();
  }
}

export interface Load {
  readonly port: number;
  readonly tasks: number;
  readonly timeoutMs?: number;
}

/** Writes tasks that are all due at one later moment, and waits until `awaited` have heard theirs. */
export async function deliverAll(
  loaded: Loaded,
  receivers: Receivers,
  { loads, awaited }: { readonly loads: readonly Load[]; readonly awaited: readonly number[] },
): Promise<void> {
  const all = loads.reduce((sum, { tasks }) => sum + tasks, 0);
  const runAt = Date.now() + 500 + (WRITE_10K_MS * all) / 10_000;
  for (const load of loads) {
    const applicationId = await applicationFor(loaded, load.port);
    await loaded.store.tasks.create(tasksOf(applicationId, load, runAt));
  }
  if (Date.now() > runAt) throw new Error("the tasks were due before all were written");
  const wanted = loads.filter(({ port }) => awaited.includes(port));
  const total = wanted.reduce((sum, { tasks }) => sum + tasks, 0);
  await receivers.heardInAll(awaited, total);
}

async function applicationFor({ program, store, applications }: Loaded, port: number) {
  const known = applications.get(port);
  if (known !== undefined) return known;
  const response = await fetch(`${program.url}/application/create`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ appName: "bench", linkUrl: `http://127.0.0.1:${port}/`, retryTotal: 0 }),
  });
  const { data } = (await response.json()) as { data: { appKey: string } };
  const application = await store.applications.find(data.appKey);
  if (application === undefined) throw new Error("the application is not there");
  applications.set(port, application.id);
  return application.id;
}

let written = 0;

function tasksOf(applicationId: number, { tasks, timeoutMs = 30_000 }: Load, runAt: number) {
  return Array.from({ length: tasks }, () => {
    written += 1;
    return sampleTask(applicationId, {
      taskNo: `no-${written}`,
      content: CONTENT,
      timeoutMs,
      runAt,
      retry: linearRetry(5, 0),
    });
  });
}

/** The same body to the same receiver, with nothing around it: no signature, no check, no log, no database. */
export async function fetchAll(port: number, inFlight: number, requests: number): Promise<void> {
  let left = requests;
  const body = `{"data":${CONTENT}}`;
  const send = async () => {
    while (left > 0) {
      left -= 1;
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
      await response.text();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, send));
}

/** Per second, from the first to the last one heard. */
export function rateOf({ count, spanMs }: Heard): number {
  return count / (spanMs / 1000);
}
