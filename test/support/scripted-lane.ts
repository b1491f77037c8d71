// A lane whose attempts end when the test says so: the consumer's other side, without any job code.

import type {
  AttemptEnd,
  AttemptLane,
  KillReceipt,
  LiveView,
  RunningAttempt,
  StopReason,
} from "../../src/core/attempt.ts";
import type { ClaimedTask } from "../../src/core/task.ts";
import { collectHeard, type Heard } from "./heard.ts";

const DEAD: KillReceipt = { killed: true, method: "thread", latencyMs: 1 };
const VIEW: LiveView = {
  state: "waiting",
  frames: [],
  vars: null,
  round: 1,
  elapsedMs: 1,
  progress: null,
};

/** One attempt that the consumer began. */
export interface ScriptedAttempt extends RunningAttempt {
  readonly stops: readonly StopReason[];
  /** The outcome is decided; nothing of it runs any more, unless `receipt` is null. */
  end(end: AttemptEnd, receipt?: KillReceipt | null): void;
  /** What was left of it is dead after all, or cannot be killed. */
  die(receipt: KillReceipt): void;
}

export interface ScriptedLane extends AttemptLane {
  readonly begun: Heard<ScriptedAttempt>;
}

/** @param stopsEnd a stop ends the attempt at once, as a killable job would */
export function createScriptedLane(slots: number, stopsEnd = true): ScriptedLane {
  const begun = collectHeard<ScriptedAttempt>();
  return {
    jobs: null,
    slots,
    begun,
    start: (task) => {
      const attempt = createScriptedAttempt(task, stopsEnd);
      begun.hear(attempt);
      return attempt;
    },
    close: () => Promise.resolve(),
  };
}

function createScriptedAttempt(task: ClaimedTask, stopsEnd: boolean): ScriptedAttempt {
  const ended = Promise.withResolvers<AttemptEnd>();
  const gone = Promise.withResolvers<KillReceipt>();
  const stops: StopReason[] = [];
  const end = (how: AttemptEnd, receipt: KillReceipt | null = DEAD): void => {
    ended.resolve(how);
    if (receipt !== null) gone.resolve(receipt);
  };
  return {
    task,
    stops,
    ended: ended.promise,
    gone: gone.promise,
    inspect: () => Promise.resolve(VIEW),
    stop: (reason) => {
      stops.push(reason);
      if (stopsEnd) end({ outcome: reason === "cancel" ? "cancelled" : "interrupted" });
    },
    end,
    die: gone.resolve,
  };
}
