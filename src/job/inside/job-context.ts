// Makes the `ctx` that a job's `run` gets, on the scope of its attempt.
import { AsyncLocalStorage } from "node:async_hooks";
import type { JobContext, JobLog, JobLogFields } from "../../sdk/job-context.ts";
import { cut } from "../wire/cut-text.ts";
import {
  clockMs,
  fetchNow,
  formatValues,
  NativeAbortController,
  toJson,
} from "../wire/intrinsics.ts";
import type { AttemptOrder } from "../wire/protocol.ts";
import { shownValue, shownVars } from "../wire/shown-values.ts";
import { type AttemptScope, never } from "./attempt-scope.ts";
import type { ConsoleLevel } from "./job-console.ts";

/** Bytes of JSON; with its frame around it a line stays below 4 KiB. */
const MAX_LINE = 3_800;
const MAX_SLEEP_MS = 2_147_483_647;

/** The id of the step whose code runs. */
const stepInside = new AsyncLocalStorage<number>();

/** A ctx; every call of it asks the scope first whether the attempt still lives. */
export function createJobContext(scope: AttemptScope, order: AttemptOrder): JobContext {
  return Object.freeze({
    taskId: order.taskId,
    taskNo: order.taskNo,
    attempt: order.attempt,
    maxAttempts: order.maxAttempts,
    deadline: order.deadline,
    signal: scope.signal,
    log: createLog(scope),
    progress: createProgress(scope),
    watch: createWatch(scope),
    step: createStep(scope),
    sleep: (ms: number) => {
      if (!scope.enter()) return never();
      const call = { function: "sleep", args: [ms] };
      const sleep = () => scope.sleep(ms > 0 ? Math.min(ms, MAX_SLEEP_MS) : 0);
      return scope.resume(scope.underWay(call, sleep));
    },
    fetch: (input: string | URL | Request, init?: RequestInit) => {
      if (!scope.enter()) return never();
      const call = { function: "fetch", args: [] };
      return scope.resume(scope.underWay(call, () => tracedFetch(scope, input, init)));
    },
  });
}

/** Writes one line of a log; also the way of the console's lines. */
export function writeLine(
  scope: AttemptScope,
  level: ConsoleLevel,
  { message, fields }: { readonly message: unknown; readonly fields?: JobLogFields | undefined },
): void {
  if (!scope.enter()) return;
  const text = String(
    shownValue(typeof message === "string" ? message : formatValues(message), MAX_LINE),
  );
  const line = { level, message: text };
  if (fields === undefined) {
    scope.write("log", line);
    return;
  }
  const room = MAX_LINE - Buffer.byteLength(toJson(text) ?? "");
  scope.write("log", {
    ...line,
    fields: room < 100 ? "… (cut)" : shownValue(fields, room, scope.secret),
  });
}

function createLog(scope: AttemptScope): JobLog {
  const at =
    (level: ConsoleLevel) =>
    (message: string, fields?: JobLogFields): void =>
      writeLine(scope, level, { message, fields });
  return Object.freeze(
    Object.assign(at("info"), {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
    }),
  );
}

/** What is shown live is always the newest; its events are thinned. */
function createProgress(scope: AttemptScope): JobContext["progress"] {
  const events = scope.thin("progress");
  return (percent, text) => {
    if (!scope.enter()) return;
    const shown = { percent: Math.min(100, Math.max(0, Number(percent) || 0)) };
    const progress = text === undefined ? shown : { ...shown, text: cut(String(text), 200) };
    scope.show("progress", progress);
    events.put(() => progress);
    if (shown.percent === 100) events.flush();
  };
}

function createWatch(scope: AttemptScope): JobContext["watch"] {
  const events = scope.thin("watch");
  return (vars) => {
    if (!scope.enter()) return;
    const shown = shownVars(vars, scope.secret);
    scope.show("vars", shown);
    events.put(() => {
      const isSmall = (toJson(shown)?.length ?? 0) <= MAX_LINE;
      return isSmall ? { vars: shown } : { keys: shownValue(Object.keys(shown), 2_000) };
    });
  };
}

function createStep(scope: AttemptScope): JobContext["step"] {
  let steps = 0;
  return async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    if (!scope.enter()) return never();
    steps += 1;
    const step = {
      step: steps,
      parent: stepInside.getStore() ?? null,
      name: cut(String(name), 200),
    };
    const startedAt = clockMs();
    const finish = (phase: "end" | "failed") => {
      if (scope.enter()) scope.write("step", { ...step, phase, ms: clockMs() - startedAt });
    };
    scope.write("step", { ...step, phase: "start" });
    try {
      const value = await scope.resume(stepInside.run(step.step, async () => work()));
      finish("end");
      return value;
    } catch (thrown) {
      finish("failed");
      throw thrown;
    }
  };
}

async function tracedFetch(
  scope: AttemptScope,
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<Response> {
  const own = new NativeAbortController();
  const forget = scope.atEnd(() => own.abort());
  const asked = init?.signal ?? (input instanceof Request ? input.signal : undefined);
  const signals = [scope.signal, own.signal, ...(asked ? [asked] : [])];
  const request = describeRequest(input, init);
  const startedAt = clockMs();
  const trace = (outcome: object) =>
    scope.write("fetch", { ...request, ...outcome, ms: clockMs() - startedAt });
  try {
    const response = await fetchNow(input, { ...init, signal: AbortSignal.any(signals) });
    trace({ status: response.status });
    return response;
  } catch (thrown) {
    trace({ failed: cut(String(thrown), 200) });
    throw thrown;
  } finally {
    forget();
  }
}

/** Method and host alone: paths, queries and headers carry secrets. */
function describeRequest(input: string | URL | Request, init: RequestInit | undefined) {
  const method = init?.method ?? (input instanceof Request ? input.method : "GET");
  const url = input instanceof Request ? input.url : String(input);
  return { method: cut(method, 20), host: URL.canParse(url) ? new URL(url).host : null };
}
