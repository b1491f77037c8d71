// Talks to the API as an application would, with its own signing code: it shares none with the program.

import { createHash, createHmac, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { patienceMs } from "./patience.ts";

/** The data of task/detail, as far as tests look at it. */
export type Detail = {
  readonly id: number;
  readonly taskNo: string;
  readonly status: string;
  readonly state: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly coroutine_id: number | null;
  readonly service_id: string | null;
  readonly executed_file_name: string;
  readonly executed_function_name: string;
  readonly executed_function_line: number;
  readonly waiting_points: readonly {
    readonly count: number;
    readonly frames: readonly { readonly file: string; readonly line: number }[];
  }[];
  readonly trace_list: string;
  readonly frames_omitted: number;
  readonly vars: unknown;
  readonly round: number;
  readonly elapsed: number;
  readonly progress: { readonly percent: number; readonly text?: string } | null;
  readonly source: string;
  readonly moving: boolean;
  readonly freshness_ms: number;
  readonly heap_bytes: number;
  readonly rss_bytes: number;
  readonly event_loop_lag_ms: number;
  readonly result: unknown;
  readonly error: {
    readonly name: string;
    readonly message: string;
    readonly reason?: string;
  } | null;
  readonly attempts: readonly {
    readonly attempt: number;
    readonly outcome: string | null;
    readonly charged: boolean;
    readonly started_at: number;
    readonly finished_at: number | null;
    readonly service_id: string;
  }[];
};

/** The data of task/{id}/attempts, as far as tests look at it. */
export type FullAttempt = {
  readonly started_at: number;
  readonly outcome: string | null;
  readonly charged: boolean;
  readonly service_id: string;
  readonly receipt: Readonly<Record<string, unknown>> | null;
  readonly autopsy:
    | (Readonly<Record<string, unknown>> & {
        readonly age_ms: number | null;
        readonly output: string;
        readonly events: readonly { readonly type: string; readonly data: unknown }[];
        readonly frames: readonly {
          readonly file: string;
          readonly line: number;
          readonly function: string;
          readonly source: { readonly first: number; readonly lines: readonly string[] } | null;
        }[];
      })
    | null;
};

export type Envelope<T = Record<string, unknown>> = {
  readonly code: number;
  readonly msg: string;
  readonly data: T;
};

export type ApiClient = {
  readonly appKey: string;
  readonly secret: string;
  post<T = Record<string, unknown>>(path: string, body: unknown): Promise<Envelope<T>>;
  /** Creates a job task; resolves to its id. */
  createJob(job: string, params: unknown, extra?: Record<string, unknown>): Promise<number>;
  detail(id: number): Promise<Detail>;
  /** `GET /task/{id}/attempts`. */
  attempts(id: number): Promise<readonly FullAttempt[]>;
  /** Polls the detail until `isIt` holds; rejects when patience ends, showing the last one. */
  until(id: number, isIt: (detail: Detail) => boolean, atLeastMs?: number): Promise<Detail>;
};

export type ClientOptions = {
  readonly linkUrl?: string;
  readonly step?: number;
  readonly retryTotal?: number;
  readonly adminToken?: string;
};

const TERMINAL = ["succeeded", "failed", "cancelled"];

/** True for a detail in a terminal state. */
export function isEnded(detail: Detail): boolean {
  return TERMINAL.includes(detail.status);
}

/** Creates an application of its own at `url`. */
export async function createClient(url: string, options: ClientOptions = {}): Promise<ApiClient> {
  const { linkUrl = "http://127.0.0.1:1024/", step = 0, retryTotal = 0, adminToken } = options;
  const answer = await fetch(`${url}/application/create`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(adminToken === undefined ? {} : { authorization: `Bearer ${adminToken}` }),
    },
    body: JSON.stringify({ appName: `test ${randomUUID()}`, linkUrl, step, retryTotal }),
  });
  const { code, data, msg } = (await answer.json()) as Envelope<{
    appKey: string;
    secretKey: string;
  }>;
  if (code !== 0) throw new Error(`application/create: ${msg}`);
  return clientOf(url, { appKey: data.appKey, secret: data.secretKey });
}

/** The same application at another api process. */
export function clientOf(url: string, key: { appKey: string; secret: string }): ApiClient {
  async function post<T>(path: string, body: unknown): Promise<Envelope<T>> {
    const text = JSON.stringify(body);
    const answer = await fetch(url + path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...signedHeaders(key, `POST ${path}\n${text}`),
      },
      body: text,
    });
    return (await answer.json()) as Envelope<T>;
  }

  async function createJob(job: string, params: unknown, extra = {}): Promise<number> {
    const content = { class: job, params };
    const body = { taskNo: randomUUID(), name: "test", content, timeout: 30_000, ...extra };
    const { code, msg, data } = await post<{ taskId: number }>("/task/create", body);
    if (code !== 0) throw new Error(`task/create: ${msg} ${JSON.stringify(data)}`);
    return data.taskId;
  }

  async function attempts(id: number): Promise<readonly FullAttempt[]> {
    const path = `/task/${id}/attempts`;
    const answer = await fetch(url + path, { headers: signedHeaders(key, `GET ${path}\n`) });
    type Answer = Envelope<{ attempts: readonly FullAttempt[] }>;
    return ((await answer.json()) as Answer).data.attempts;
  }

  async function detail(id: number): Promise<Detail> {
    const { code, msg, data } = await post<Detail>("/task/detail", { id });
    if (code !== 0) throw new Error(`task/detail: ${msg}`);
    return data;
  }

  return {
    ...key,
    post,
    createJob,
    detail,
    attempts,
    until: async (id, isIt, atLeastMs) => {
      const deadline = performance.now() + patienceMs(atLeastMs);
      for (;;) {
        const last = await detail(id);
        if (isIt(last)) return last;
        if (performance.now() > deadline) throw new Error(`not in time: ${JSON.stringify(last)}`);
        await delay(20);
      }
    },
  };
}

/** Signs `METHOD SP target LF body`; as bytes where the body is no text. */
export function signedHeaders(
  { appKey, secret }: { appKey: string; secret: string },
  signedText: string | Uint8Array,
): Record<string, string> {
  const timestamps = String(Math.floor(Date.now() / 1000));
  const nonce = randomUUID();
  const payload = createHash("sha256").update(signedText).digest("hex");
  const hmac = createHmac("sha256", secret)
    .update(timestamps + nonce + payload)
    .digest("hex");
  const signature = Buffer.from(hmac).toString("base64");
  return { app_key: appKey, nonce, timestamps, payload, signature };
}
