// The callback lane: each attempt is one signed POST to the application's URL, many at once on one thread.

import type {
  AttemptEnd,
  AttemptError,
  AttemptLane,
  KillReceipt,
  LiveView,
  RunningAttempt,
} from "../core/attempt.ts";
import type { Logger } from "../core/logger.ts";
import { rememberOpened, type SecretBox } from "../core/secret-box.ts";
import type { ClaimedTask } from "../core/task.ts";
import type { DeliveryLog } from "../core/views/delivery-log.ts";
import { within } from "../core/within.ts";
import { createAddressGuard } from "./address-guard.ts";
import { createSender, type Delivery, type Sender } from "./deliver.ts";
import { createDestinations, type Destination } from "./destination.ts";
import { failure } from "./failures.ts";
import { createHostGates, type HostGates } from "./host-gates.ts";
import { hostSign } from "./host-sign.ts";
import { deliveryBody, deliveryHeaders } from "./signing.ts";
import type { Verdict } from "./verdict.ts";

export interface CallbackLaneOptions {
  /** Most deliveries at once. */
  readonly concurrency: number;
  /** CIDRs, addresses and host names that may be reached although they are not public; null: unset. */
  readonly allow: readonly string[] | null;
  readonly allowLoopback: boolean;
  /** Ports below 1024 that may be used besides 80 and 443. */
  readonly ports: readonly number[];
  readonly secretBox: Pick<SecretBox, "open">;
  readonly logger: Logger;
  /** Epoch ms; goes into the signature. */
  readonly nowMs: () => number;
  /** Default: 10 s. */
  readonly connectLimitMs?: number;
}

/** A closed connection is told within one turn of the event loop; only a defect of the runtime takes longer. */
const RELEASE_LIMIT_MS = 200;
const CONNECT_LIMIT_MS = 10_000;
/** A task that came although its host is full is claimed again after this long, and up to as much more. */
const FULL_MS = 250;

/** Serves tasks without a job. The consumer keeps to `slots`, and asks `claimLimits` whose tasks it may claim. */
export function createCallbackLane(options: CallbackLaneOptions): AttemptLane {
  const { concurrency, nowMs, connectLimitMs = CONNECT_LIMIT_MS } = options;
  const sender = createSender({ guard: createAddressGuard(options), nowMs, connectLimitMs });
  const destinationOf = createDestinations(options.ports);
  const gates = createHostGates({ concurrency, nowMs: Date.now });
  const secretBox = rememberOpened(options.secretBox);
  const deps = { ...options, secretBox, sender, gates, destinationOf };
  return {
    jobs: null,
    slots: concurrency,
    claimLimits: gates.limits,
    hosts: gates.states,
    start: (task) => startAttempt(deps, task),
    close: async () => sender.close(),
  };
}

type Deps = CallbackLaneOptions & {
  readonly sender: Sender;
  readonly gates: HostGates;
  readonly destinationOf: ReturnType<typeof createDestinations>;
};

/** What decided the attempt: the receiver's answer, or an end that did not wait for it. */
interface Decision {
  readonly end: AttemptEnd;
  /** Null: nothing had to be stopped. */
  readonly cut: Cut | null;
}

/** A connection that was asked to close. */
interface Cut {
  /** Monotonic. */
  readonly sinceMs: number;
  readonly reason: string;
  readonly by: NonNullable<KillReceipt["by"]>;
}

function startAttempt(deps: Deps, task: ClaimedTask): RunningAttempt {
  const to = deps.destinationOf(task.application.linkUrl);
  if (typeof to === "string") {
    const delivery = failedDelivery("url_invalid", `the application's linkUrl ${to}`);
    return watch({ task, delivery });
  }
  const leave = deps.gates.enter(to.hostAndPort, task.application);
  if (leave === null) return handedBack(task);
  const delivery = sendTask(deps, task, to);
  return watch({ task, delivery, onEnd: (...how) => leave(hostSign(...how)) });
}

interface Watched {
  readonly task: ClaimedTask;
  readonly delivery: Delivery;
  /** Called before the end is told. */
  readonly onEnd?: (end: AttemptEnd, elapsedMs: number) => void;
}

function watch({ task, delivery, onEnd }: Watched): RunningAttempt {
  const startedMs = performance.now();
  const decided = Promise.withResolvers<Decision>();
  const gone = Promise.withResolvers<KillReceipt>();
  delivery.verdict.then((verdict) => decided.resolve(decisionOf(verdict)), decided.reject);

  // Whatever came first stands: later calls change nothing.
  function stop(end: AttemptEnd, how: Cut): void {
    decided.resolve({ end, cut: how });
    delivery.abort();
  }

  async function follow(): Promise<AttemptEnd> {
    const decision = await decided.promise;
    clearTimeout(timer);
    const log = delivery.log();
    const killed = delivery.isReleased() || (await isReleasedSoon(delivery));
    const receipt = receiptOf(killed, decision.cut, delivery.isSent());
    const end = endOf(decision, receipt, log);
    const elapsedMs = performance.now() - startedMs;
    onEnd?.(end, elapsedMs);
    // Gone first: a consumer that writes the end must not take the task for still held.
    gone.resolve(receipt);
    return end;
  }

  const deadlineMs = startedMs + task.timeoutMs;
  const timer = setTimeout(() => {
    stop(timedOut(task), { sinceMs: deadlineMs, reason: "timeout", by: "deadline" });
  }, task.timeoutMs);
  return {
    task,
    gone: gone.promise,
    ended: follow(),
    inspect: async () => viewOf(performance.now() - startedMs),
    stop: (reason) => {
      const outcome = stopOutcomes[reason];
      const by = reason === "cancel" ? "application" : "executor";
      stop({ outcome }, { sinceMs: performance.now(), reason: outcome, by });
    },
  };
}

/** A delivery holds no memory worth ending it for: it is handed back. */
const stopOutcomes = {
  cancel: "cancelled",
  interrupt: "interrupted",
  memory: "interrupted",
} as const;

/** Not charged; happens only to what was claimed before its host was known to be full or shut out. */
function handedBack(task: ClaimedTask): RunningAttempt {
  const retryAfterMs = FULL_MS * (1 + Math.random());
  const receipt: KillReceipt = { killed: true, method: "none", latencyMs: 0 };
  return {
    task,
    gone: Promise.resolve(receipt),
    ended: Promise.resolve({ outcome: "interrupted", retryAfterMs }),
    inspect: async () => viewOf(0),
    stop: () => undefined,
  };
}

function sendTask({ secretBox, sender, nowMs, logger }: Deps, task: ClaimedTask, to: Destination) {
  try {
    const body = deliveryBody(task.content);
    return sender.send({
      to,
      body,
      match: task.application.successMatch,
      headers: deliveryHeaders(task, { secretBox, body, nowMs: nowMs() }),
    });
  } catch (error) {
    logger.error({ task_id: task.taskId, error }, "the application's secret cannot be opened");
    return failedDelivery("secret_unreadable", "the application's secret cannot be opened");
  }
}

function failedDelivery(...why: Parameters<typeof failure>): Delivery {
  const error: AttemptError = failure(...why);
  return {
    verdict: Promise.resolve({ error }),
    released: Promise.resolve(),
    isReleased: () => true,
    abort: () => undefined,
    log: () => null,
    isSent: () => false,
  };
}

function decisionOf({ error, retryAfterMs }: Verdict): Decision {
  if (error === null) return { end: { outcome: "succeeded" }, cut: null };
  const end: AttemptEnd = { outcome: "failed", error };
  return { end: retryAfterMs === undefined ? end : { ...end, retryAfterMs }, cut: null };
}

function endOf({ end, cut }: Decision, receipt: KillReceipt, log: DeliveryLog | null): AttemptEnd {
  const delivery = log === null ? {} : { delivery: log };
  return cut === null ? { ...end, ...delivery } : { ...end, receipt, ...delivery };
}

function timedOut({ application, timeoutMs }: ClaimedTask): AttemptEnd {
  const host = URL.canParse(application.linkUrl) ? new URL(application.linkUrl).host : "";
  const message = `${host} did not answer within the task's timeout of ${timeoutMs} ms`;
  return { outcome: "timed_out", error: { name: "TimeoutError", message, reason: "timeout" } };
}

function receiptOf(killed: boolean, cut: Cut | null, isSent: boolean): KillReceipt {
  if (cut === null) return { killed, method: "none", latencyMs: 0 };
  const { sinceMs, reason, by } = cut;
  const latencyMs = Math.round(performance.now() - sinceMs);
  const proof = { killed, method: "http-abort", latencyMs, at: Date.now() } as const;
  const receipt: KillReceipt = { ...proof, reason, by };
  return isSent ? { ...receipt, remoteMayContinue: true } : receipt;
}

async function isReleasedSoon({ released }: Delivery): Promise<boolean> {
  const isReleased = await within(
    released.then(() => true),
    RELEASE_LIMIT_MS,
  );
  return isReleased === true;
}

/** A delivery has no code to show: it waits for somebody else. */
function viewOf(elapsedMs: number): LiveView {
  return { state: "waiting", frames: [], vars: null, round: 0, elapsedMs, progress: null };
}
