// A listening app with an application of its own, whose executor is played by the test: for watching tasks.
import { feedOf } from "../../src/core/live.ts";
import type { ClaimedTask } from "../../src/core/task.ts";
import type { TraceEvent } from "../../src/core/views/trace-event.ts";
import type { HttpDeps } from "../../src/http/deps.ts";
import { listen } from "../../src/http/listen.ts";
import { type OpenStream, openStream } from "../support/event-stream.ts";
import { addTask, claimTask, endAttempt, SERVICE_ID } from "../support/use-case-world.ts";
import { createHarness, type Keys, signatureFor } from "./http-harness.ts";

export type EventWorld = Awaited<ReturnType<typeof createEventWorld>>;

export async function createEventWorld(more: Partial<HttpDeps> = {}) {
  const harness = await createHarness({}, more);
  const { store, bus } = harness;
  const keys = await harness.createApplication();
  const applicationId = (await store.applications.find(keys.appKey))?.id ?? 0;
  const server = await listen(harness.app, { host: "127.0.0.1", port: 0 });
  const watched: string[] = [];
  await bus.serve(SERVICE_ID, async (question) => {
    if ("taskId" in question) watched.push(feedOf(question));
    return { kind: "watched" };
  });
  let created = 0;

  /** Due now, or at `runAt`. */
  function newTask(runAt: number | null = null, lane: "job" | "callback" = "job") {
    created += 1;
    const job = lane === "job" ? "countdown" : null;
    return addTask(store, { applicationId, taskNo: `watched-${created}`, runAt, lane, job });
  }

  return {
    harness,
    keys,
    watched,
    newTask,
    idleTask: async () => newTask((await store.now()) + 600_000),
    runningTask: async () => {
      await newTask();
      return claimTask(store, "job");
    },
    claim: (lane: "job" | "callback" = "job") => claimTask(store, lane),
    feed: (task: ClaimedTask) => bus.openFeed(feedOf(task)),
    end: (task: ClaimedTask, events: readonly TraceEvent[], outcome: "succeeded" | "failed") => {
      const trace = { view: null, events };
      const result = outcome === "succeeded" ? { result: "1" } : {};
      return endAttempt(store, task, { outcome, trace, ...result });
    },
    url: (path: string, port = server.port) => `http://127.0.0.1:${port}${path}`,
    watch: (id: number, how: WatchOptions = {}) => {
      const { query = "", lastId, as = keys, port = server.port } = how;
      const path = `/task/${id}/events${query}`;
      const signed = signatureFor(as, { method: "GET", path });
      const resumed = lastId === undefined ? {} : { "last-event-id": lastId };
      return openStream(`http://127.0.0.1:${port}${path}`, { ...signed, ...resumed });
    },
    close: async () => {
      harness.app.endStreams();
      await server.stop();
      await harness.close();
    },
  };
}

export interface WatchOptions {
  readonly query?: string;
  readonly lastId?: string;
  readonly as?: Keys;
  readonly port?: number;
}

/** Log events with these numbers. */
export function logs(from: number, to = from): TraceEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const seq = from + index;
    return { seq, at: seq, type: "log", data: { level: "info", message: `第 ${seq}` } };
  });
}

/** The ids of what came, or its kind where there is none. */
export function idsOf({ events }: OpenStream): (string | undefined)[] {
  return events.map(({ id, event }) => id ?? event);
}
