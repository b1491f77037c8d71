// The callback lane: each attempt is one signed POST to the application's URL, many at once on one thread.
import { createAddressGuard } from "../callback/address-guard.ts";
import { createSender, type Delivery, type Sender, type Verdict } from "../callback/deliver.ts";
import { failure } from "../callback/failures.ts";
import { deliveryBody, deliveryHeaders } from "../callback/signing.ts";
import type {
  AttemptEnd,
  AttemptError,
  AttemptLane,
  KillReceipt,
  LiveView,
  RunningAttempt,
} from "../core/attempt.ts";
import type { Logger } from "../core/logger.ts";
import type { SecretBox } from "../core/secret-box.ts";
import type { ClaimedTask } from "../core/task.ts";

export interface CallbackLaneOptions {
  /** Most deliveries at once. */
  readonly concurrency: number;
  /** CIDRs, addresses and host names that may be reached although they are not public; null: unset. */
  readonly allow: readonly string[] | null;
  readonly allowLoopback: boolean;
  readonly secretBox: Pick<SecretBox, "open">;
  readonly logger: Logger;
  /** Epoch ms; goes into the signature. */
  readonly nowMs: () => number;
}

/** A closed connection is told within one turn of the event loop; only a defect of the runtime takes longer. */
const RELEASE_LIMIT_MS = 200;

/** Serves tasks without a job. The consumer keeps to `slots`. */
export function createCallbackLane(options: CallbackLaneOptions): AttemptLane {
  const sender = createSender(createAddressGuard(options));
  return {
    jobs: null,
    slots: options.concurrency,
    start: (task) => startDelivery({ ...options, sender }, task),
    close: async () => sender.close(),
  };
}

type Deps = CallbackLaneOptions & { readonly sender: Sender };

/** What decided the attempt: the receiver's answer, or somebody who did not wait for it. */
interface Decision {
  readonly end: AttemptEnd;
  /** When its connection was asked to close, monotonic; null: nothing had to be stopped. */
  readonly cutMs: number | null;
}

function startDelivery(deps: Deps, task: ClaimedTask): RunningAttempt {
  const startedMs = performance.now();
  const delivery = sendTask(deps, task);
  const cut = Promise.withResolvers<Decision>();

  // Whatever came first stands: later calls change nothing.
  function stop(end: AttemptEnd, cutMs: number): void {
    cut.resolve({ end, cutMs });
    delivery.abort();
  }

  async function follow() {
    const decision = await Promise.race([delivery.verdict.then(decisionOf), cut.promise]);
    clearTimeout(timer);
    const receipt = receiptOf(await isReleased(delivery), decision.cutMs);
    const end = decision.cutMs === null ? decision.end : { ...decision.end, receipt };
    log(deps.logger, { task, end, elapsedMs: performance.now() - startedMs });
    return { end, receipt };
  }

  const deadlineMs = startedMs + task.timeoutMs;
  const timer = setTimeout(() => stop(timedOut(task), deadlineMs), task.timeoutMs);
  const followed = follow();
  // Gone first: a consumer that writes the end must not take the task for still held.
  const gone = followed.then(({ receipt }) => receipt);
  return {
    task,
    gone,
    ended: followed.then(({ end }) => end),
    inspect: async () => viewOf(performance.now() - startedMs),
    stop: (reason) => stop({ outcome: stopOutcomes[reason] }, performance.now()),
  };
}

/** A delivery holds no memory worth ending it for: it is handed back. */
const stopOutcomes = {
  cancel: "cancelled",
  interrupt: "interrupted",
  memory: "interrupted",
} as const;

function sendTask({ secretBox, sender, nowMs, logger }: Deps, task: ClaimedTask): Delivery {
  const url = httpUrl(task.application.linkUrl);
  if (url === null) {
    return failedDelivery(failure("url_invalid", "the application's linkUrl is no http(s) URL"));
  }
  try {
    const secret = secretBox.open(task.application.secretSealed);
    const body = deliveryBody(task.content);
    return sender.send({
      url,
      body,
      headers: deliveryHeaders(task, { secret, body, nowMs: nowMs() }),
    });
  } catch (error) {
    logger.error({ task_id: task.taskId, error }, "the application's secret cannot be opened");
    return failedDelivery(
      failure("secret_unreadable", "the application's secret cannot be opened"),
    );
  }
}

function httpUrl(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}

function failedDelivery(error: AttemptError): Delivery {
  const verdict = Promise.resolve(error);
  return { verdict, released: Promise.resolve(), abort: () => undefined };
}

function decisionOf(verdict: Verdict): Decision {
  if (verdict === null) return { end: { outcome: "succeeded" }, cutMs: null };
  return { end: { outcome: "failed", error: verdict }, cutMs: null };
}

function timedOut({ application, timeoutMs }: ClaimedTask): AttemptEnd {
  const host = httpUrl(application.linkUrl)?.host;
  const message = `${host} did not answer within the task's timeout of ${timeoutMs} ms`;
  return { outcome: "timed_out", error: { name: "TimeoutError", message, reason: "timeout" } };
}

function receiptOf(killed: boolean, cutMs: number | null): KillReceipt {
  if (cutMs === null) return { killed, method: "none", latencyMs: 0 };
  return { killed, method: "http-abort", latencyMs: Math.round(performance.now() - cutMs) };
}

async function isReleased({ released }: Delivery): Promise<boolean> {
  const limit = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => limit.resolve(false), RELEASE_LIMIT_MS);
  const isIt = await Promise.race([released.then(() => true), limit.promise]);
  clearTimeout(timer);
  return isIt;
}

/** A delivery has no code to show: it waits for somebody else. */
function viewOf(elapsedMs: number): LiveView {
  return { state: "waiting", frames: [], vars: null, round: 0, elapsedMs, progress: null };
}

function log(
  logger: Logger,
  { task, end, elapsedMs }: { task: ClaimedTask; end: AttemptEnd; elapsedMs: number },
): void {
  const { outcome, error } = end;
  const fields = {
    task_id: task.taskId,
    attempt: task.attempt,
    outcome,
    elapsed_ms: Math.round(elapsedMs),
  };
  if (error === undefined) logger.debug(fields, "callback ended");
  else logger.info({ ...fields, reason: error.reason, why: error.message }, "callback ended");
}
