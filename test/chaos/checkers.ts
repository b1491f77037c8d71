// The guarantees as pure functions over a session: each names the tasks for which its promise was broken.
import type { HistoryLine } from "./history.ts";
import { FAILING_ATTEMPTS, TIMEOUT_MS } from "./load-kinds.ts";
import type { Session } from "./session.ts";

/** One line per broken promise. */
export type Checker = (session: Session) => readonly string[];

const TERMINAL = ["succeeded", "failed", "cancelled"];
/** The database and the job read the same clock of this machine, in whole milliseconds. */
const CLOCK_MS = 2;
/** What a cancel began before it was answered may still be noted. */
const CANCEL_MARGIN_MS = 50;
const THAWED_MS = 1_000;
/** Far more than promised, so that a busy machine breaks nothing; a stop that waits for a lease or a poll is longer. */
const STOP_MS = 2_500;

export const CHECKERS: Readonly<Record<string, Checker>> = {
  "G1 accepted is stored": ({ load, tasks }) => {
    const byId = new Map(tasks.map((task) => [task.id, task]));
    return created(load)
      .filter(({ task = 0, taskNo }) => byId.get(task)?.taskNo !== taskNo)
      .map(
        ({ task, taskNo }) => `task ${task} (${taskNo}) was accepted and is not in the database`,
      );
  },

  "G2 accepted comes to an end": ({ tasks }) =>
    tasks
      .filter(({ status }) => !TERMINAL.includes(status))
      .map(({ id, status }) => `task ${id} is still ${status}`),

  "G3 one success at most in a life, and nothing after it": ({ tasks, attempts }) => {
    const byLife = grouped(attempts, ({ taskId, life }) => `${taskId} ${life}`);
    const outcomesOf = (life: string) => (byLife.get(life) ?? []).map(({ outcome }) => outcome);
    const spoilt = [...byLife.keys()].filter((life) => {
      const first = outcomesOf(life).indexOf("succeeded");
      return first >= 0 && first < outcomesOf(life).length - 1;
    });
    const wrong = tasks.filter(
      ({ id, life, status }) =>
        outcomesOf(`${id} ${life}`).includes("succeeded") !== (status === "succeeded"),
    );
    return [
      ...spoilt.map((life) => `task and life ${life}: ${outcomesOf(life).join(", ")}`),
      ...wrong.map(
        ({ id, life, status }) =>
          `task ${id} is ${status} after ${outcomesOf(`${id} ${life}`).join(", ")}`,
      ),
    ];
  },

  "G5 deliveries of a task do not overlap": ({ deliveries, faults }) =>
    [...grouped(deliveries, ({ taskNo }) => taskNo)].flatMap(([taskNo, lines]) => {
      let open = 0;
      return lines.flatMap(({ op, at }) => {
        if (op === "delivery-end") open -= 1;
        if (op === "delivery-start") open += 1;
        const isExcused = isFrozen(faults, at) || isIn(faults.filter(isOfReceiver), at);
        return op === "delivery-start" && open > 1 && !isExcused
          ? [`${taskNo} was delivered while it was being delivered`]
          : [];
      });
    }),

  "G5 attempts of a task do not overlap": ({ effects, faults }) =>
    [...grouped(effects, ({ task }) => task ?? 0)].flatMap(([task, lines]) => {
      const inOrder = lines.toSorted((a, b) => a.at - b.at);
      return inOrder.flatMap((line, at) => {
        if (line.op !== "start") return [];
        const late = inOrder.slice(at).find(({ attempt }) => (attempt ?? 0) < (line.attempt ?? 0));
        return late === undefined || isFrozen(faults, line.at)
          ? []
          : [`task ${task}: attempt ${line.attempt} began before attempt ${late.attempt} was over`];
      });
    }),

  "G6 charged attempts stay in the budget, and a lost one is not charged": ({
    tasks,
    attempts,
  }) => [
    ...tasks
      .filter(({ charged, retryTotal }) => charged > 1 + retryTotal)
      .map(({ id, charged }) => `task ${id} was charged ${charged} times`),
    ...attempts
      .filter(
        ({ outcome, charged }) => charged && /^(lost|interrupted|cancelled)$/.test(outcome ?? ""),
      )
      .map(
        ({ taskId, attempt, outcome }) =>
          `task ${taskId}: attempt ${attempt} is ${outcome} and was charged`,
      ),
  ],

  "G7 nothing starts early": ({ load, effects, deliveries, tasks }) => {
    const runAt = new Map(
      created(load).map(({ task = 0, data }) => [task, Number(data?.["runAt"] ?? 0)]),
    );
    // A new life is due at once.
    for (const task of askedOf(load, "redeliver")) runAt.delete(task);
    const byNo = new Map(tasks.map(({ taskNo, id }) => [taskNo, id]));
    const starts = effects
      .filter(({ op }) => op === "start")
      .map(({ task = 0, at }) => ({ task, at }));
    const sent = deliveries
      .filter(({ op }) => op === "delivery-start")
      .map(({ taskNo = "", at }) => ({ task: byNo.get(taskNo) ?? 0, at }));
    return [...starts, ...sent].flatMap(({ task, at }) => {
      const earlyMs = (runAt.get(task) ?? 0) - at;
      return earlyMs > CLOCK_MS ? [`task ${task} began ${earlyMs} ms early`] : [];
    });
  },

  "G9 what is cancelled does not start any more": ({ load, effects }) => {
    const again = new Set(askedOf(load, "redeliver"));
    const cancelledAt = new Map(
      load
        .filter(({ op, kind, task = 0 }) => op === "cancel" && kind === "ok" && !again.has(task))
        .map(({ task = 0, at }) => [task, at + CANCEL_MARGIN_MS]),
    );
    return effects
      .filter(
        ({ op, task = 0, at }) =>
          op === "start" && at > (cancelledAt.get(task) ?? Number.POSITIVE_INFINITY),
      )
      .map(
        ({ task, attempt }) =>
          `task ${task}: attempt ${attempt} began after its cancel was answered`,
      );
  },

  "G9 a cancel that was confirmed stands": ({ load, tasks, effects }) => {
    const endless = new Set(createdAs(load, "cancel-running"));
    const again = new Set(askedOf(load, "redeliver"));
    const began = new Set(effects.filter(({ op }) => op === "start").map(({ task }) => task));
    const asked = new Set(doneTo(load, "cancel"));
    return (
      tasks
        .filter(({ id, status }) => asked.has(id) && !again.has(id) && status !== "cancelled")
        // One that began may have succeeded in the same moment, unless it never ends by itself.
        .filter(({ id, status }) => endless.has(id) || !began.has(id) || status !== "succeeded")
        .map(({ id, status }) => `task ${id} was cancelled and is ${status}`)
    );
  },

  "G3 only a redelivery begins a new life, and it does": ({ load, tasks, attempts }) => {
    const asked = new Set(askedOf(load, "redeliver"));
    const again = new Set(doneTo(load, "redeliver"));
    const lives = grouped(attempts, ({ taskId }) => taskId);
    return tasks.flatMap(({ id, status }) => {
      const last = Math.max(0, ...(lives.get(id) ?? []).map(({ life }) => life));
      if (again.has(id) && (status !== "succeeded" || last !== 2))
        return [`task ${id} was redelivered and is ${status} in life ${last}`];
      return !asked.has(id) && last > 1 ? [`task ${id} lives again without being asked to`] : [];
    });
  },

  "G6 what always fails uses its whole budget": ({ load, tasks, attempts }) => {
    const failing = new Set(createdAs(load, "failing"));
    const byTask = grouped(attempts, ({ taskId }) => taskId);
    return tasks.flatMap(({ id, status, charged }) => {
      const deaths = (byTask.get(id) ?? []).filter(({ outcome }) => outcome === "lost").length;
      if (!failing.has(id) || !TERMINAL.includes(status) || deaths >= 3) return [];
      return status === "failed" && charged === FAILING_ATTEMPTS
        ? []
        : [`task ${id} is ${status} after ${charged} charged attempts`];
    });
  },

  "G8 what runs too long is stopped": ({ attempts, faults }) =>
    attempts
      .filter(({ outcome, startedAt, finishedAt }) => {
        const ms = (finishedAt ?? 0) - startedAt - TIMEOUT_MS;
        return outcome === "timed_out" && ms > STOP_MS && !isIn(faults, finishedAt ?? 0);
      })
      .map(({ taskId, startedAt, finishedAt }) => {
        const ms = (finishedAt ?? 0) - startedAt;
        return `task ${taskId} timed out after ${ms} ms instead of ${TIMEOUT_MS}`;
      }),

  "G11 a captured request has no second effect, a forged one none": ({ load }) =>
    load
      .filter(({ op, kind }) => /^(replay|forge)$/.test(op) && kind === "fail")
      .map(({ op, task }) => `${op} was accepted (task ${task ?? "new"})`),

  "G12 redirects are not followed": ({ deliveries }) =>
    deliveries.filter(({ op }) => op === "trap").map(({ at }) => `one was followed at ${at}`),

  "G15 another application sees nothing and changes nothing": ({ load }) =>
    load
      .filter(({ op, kind }) => op === "stranger" && kind === "fail")
      .map(({ task }) => `task ${task} was shown to another application, or cancelled by it`),

  "G10 one row for each number": ({ load, tasks }) => {
    const numbers = grouped(tasks, ({ taskNo }) => taskNo);
    const twice = [...numbers]
      .filter(([, rows]) => rows.length > 1)
      .map(([taskNo]) => `${taskNo} has two rows`);
    const repeats = load
      .filter(({ op, kind }) => op === "repeat" && kind === "fail")
      .map(({ taskNo }) => `a repeat of ${taskNo} got another task`);
    return [...twice, ...repeats];
  },

  "what is asked right is not refused": ({ load }) =>
    load.filter(({ op }) => op === "load-failed").map(({ data }) => String(data?.["why"])),

  "bystanders: no attempt is lost without a fault": ({ attempts, faults }) =>
    attempts
      .filter(({ outcome, finishedAt }) => outcome === "lost" && !isIn(faults, finishedAt ?? 0))
      .map(({ taskId, attempt }) => `task ${taskId}: attempt ${attempt} was lost`),

  "effects agree with what is recorded": ({ tasks, attempts, effects, deliveries }) => {
    const ended = new Set(
      effects.filter(({ op }) => op === "end").map(({ task, attempt }) => `${task} ${attempt}`),
    );
    const delivered = new Set(
      deliveries.filter(({ op }) => op === "delivery").map(({ taskNo }) => taskNo),
    );
    const last = new Map(attempts.map(({ taskId, attempt }) => [taskId, attempt]));
    return tasks.flatMap(({ id, taskNo, lane, status }) => {
      if (status !== "succeeded") return [];
      const isSeen =
        lane === "callback" ? delivered.has(taskNo) : ended.has(`${id} ${last.get(id)}`);
      return isSeen ? [] : [`task ${id} succeeded, but nobody saw its effect`];
    });
  },
};

/** Every violation with the promise that it breaks. */
export function check(session: Session): { readonly promise: string; readonly found: string }[] {
  return Object.entries(CHECKERS).flatMap(([promise, checker]) =>
    checker(session).map((found) => ({ promise, found })),
  );
}

/** A process stood still then, or had just gone on and did not know yet that its leases had ended. */
function isFrozen(times: Session["faults"], at: number): boolean {
  return times.some(
    ({ fault, from, healedAt }) =>
      fault === "freeze-self" && at >= from && at <= healedAt + THAWED_MS,
  );
}

/** A delivery whose kept connection broke before any answer is sent once more, which the receiver may see at once. */
function isOfReceiver({ fault }: Session["faults"][number]): boolean {
  return fault.endsWith("-receiver");
}

function isIn(times: Session["faults"], at: number): boolean {
  return times.some(({ from, to }) => at >= from && at <= to);
}

/** Ids of tasks that the load created as this kind. */
function createdAs(load: readonly HistoryLine[], kind: string): number[] {
  return created(load)
    .filter(({ data }) => data?.["kind"] === kind)
    .map(({ task = 0 }) => task);
}

/** Ids of tasks for which the load asked for it, whatever it was told: an answer may have been lost. */
function askedOf(load: readonly HistoryLine[], wanted: string): number[] {
  return load
    .filter(({ op, kind }) => op === wanted && kind === "invoke")
    .map(({ task = 0 }) => task);
}

/** Ids of tasks for which the load was told that it is done. */
function doneTo(load: readonly HistoryLine[], wanted: string): number[] {
  return load.filter(({ op, kind }) => op === wanted && kind === "ok").map(({ task = 0 }) => task);
}

function created(load: readonly HistoryLine[]): HistoryLine[] {
  return load.filter(({ op, kind }) => op === "create" && kind === "ok");
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
