// Callers that know several api processes: they create, repeat, cancel and wait until they are told to stop.
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient, Envelope } from "../support/api-client.ts";

/** What callers were told about a task. */
export interface Acknowledged {
  readonly kind: "job" | "callback" | "cancel";
  readonly taskNo: string;
}

export interface MixedLoad {
  /** By task id: every create that was answered with one. */
  readonly acknowledged: ReadonlyMap<number, Acknowledged>;
  /** Resolves when this many more were acknowledged. */
  more(count: number): Promise<void>;
  /** Lets what is under way end. Throws what a caller was told that it should not be. */
  stop(): Promise<void>;
}

interface LoadSpec {
  /** The same application at every api process; those that do not answer are passed over. */
  readonly apis: readonly ApiClient[];
  /** Where jobs write that they began and ended. */
  readonly file: string;
  readonly callers: number;
}

const TERMINAL = ["succeeded", "failed", "cancelled"];
const KINDS = ["job", "callback", "cancel", "job"] as const;
/** A caller that finds nobody waits so long, as a client library would. */
const RETRY_MS = 20;
const MOST_TRIES = 3_000;

export function startMixedLoad({ apis, file, callers }: LoadSpec): MixedLoad {
  const acknowledged = new Map<number, Acknowledged>();
  const listeners = new Set<() => void>();
  let isStopped = false;
  let turn = 0;

  /** Asks one api process after the other until one answers. */
  const ask = async <T>(path: string, body: unknown): Promise<Envelope<T>> => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      turn += 1;
      const answer = await apis[turn % apis.length]?.post<T>(path, body).catch(() => undefined);
      if (answer !== undefined && !isUnavailable(answer)) return answer;
      await delay(RETRY_MS);
    }
    throw new Error(`nobody answers ${path}`);
  };

  const create = async (kind: Acknowledged["kind"]): Promise<number> => {
    const taskNo = randomUUID();
    const body = { taskNo, name: kind, timeout: 300_000, content: contentOf(kind, file) };
    const first = await ask<{ taskId: number }>("/task/create", body);
    // The other release must see the same request in it.
    const second = await ask<{ taskId: number }>("/task/create", body);
    const id = first.data.taskId;
    if (first.code !== 0 || second.data.taskId !== id) {
      throw new Error(`a create and its repeat: ${JSON.stringify([first, second])}`);
    }
    acknowledged.set(id, { kind, taskNo });
    for (const listener of listeners) listener();
    return id;
  };

  const wait = async (id: number, isIt: (status: string) => boolean): Promise<void> => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { data } = await ask<{ status: string }>("/task/detail", { id });
      if (isIt(data.status)) return;
      await delay(RETRY_MS);
    }
    throw new Error(`task ${id} does not get on`);
  };

  const call = async (): Promise<void> => {
    for (let made = 0; !isStopped; made++) {
      const kind = KINDS[made % KINDS.length] ?? "job";
      const id = await create(kind);
      if (kind === "cancel") {
        await wait(id, (status) => status === "running" || hasEnded(status));
        await ask("/task/cancel", { id });
      }
      // The others are left to themselves, so that some are always under way.
      if (made % 4 === 3) await wait(id, hasEnded);
    }
  };

  const calls = Promise.all(Array.from({ length: callers }, call));
  // Told by `stop`; until then it must not end the test.
  calls.catch(() => undefined);
  return {
    acknowledged,
    more: async (count) => {
      const goal = acknowledged.size + count;
      const reached = Promise.withResolvers<void>();
      const look = () => {
        if (acknowledged.size >= goal) reached.resolve();
      };
      listeners.add(look);
      // A caller that failed would never get there.
      await Promise.race([reached.promise, calls]);
      listeners.delete(look);
    },
    stop: async () => {
      isStopped = true;
      await calls;
    },
  };
}

function hasEnded(status: string): boolean {
  return TERMINAL.includes(status);
}

function contentOf(kind: Acknowledged["kind"], file: string): unknown {
  if (kind === "callback") return { order: 1 };
  if (kind === "cancel") return { class: "action", params: { do: "spin-in-awaits" } };
  return { class: "effect", params: { file, ms: 20 } };
}

/** 503, or an api process that is about to end. */
function isUnavailable({ code, msg }: Envelope<unknown>): boolean {
  return code !== 0 && /database|try again|unavailable|stopp|drain|has not stored/i.test(msg);
}
