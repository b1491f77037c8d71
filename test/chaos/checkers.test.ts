// Each checker of the fault harness refuses a session in which its promise is broken, and takes one in which none is.
import { expect, test } from "bun:test";
import { CHECKERS, check } from "./checkers.ts";
import type { HistoryLine } from "./history.ts";
import { PLANTS, patchesOf } from "./plants.ts";
import type { AttemptFinal, Session, TaskFinal } from "./session.ts";

const line = (op: string, at: number, more: Partial<HistoryLine> = {}): HistoryLine => ({
  at,
  process: "test",
  op,
  kind: "ok",
  ...more,
});
const task = (id: number, more: Partial<TaskFinal> = {}): TaskFinal => ({
  id,
  taskNo: `no-${id}`,
  lane: "job",
  status: "succeeded",
  life: 1,
  attempt: 1,
  charged: 1,
  retryTotal: 10,
  ...more,
});
const attempt = (taskId: number, more: Partial<AttemptFinal> = {}): AttemptFinal => ({
  taskId,
  attempt: 1,
  life: 1,
  outcome: "succeeded",
  charged: true,
  startedAt: 105,
  finishedAt: 150,
  ...more,
});
const created = (id: number, kind: string, runAt: number | null = null) =>
  line("create", 100, { task: id, taskNo: `no-${id}`, data: { kind, runAt } });

/** One of each kind whose end a checker judges; 1 and 2 succeed, 3 is cancelled while it waits. */
const GOOD: Session = {
  load: [
    created(1, "job"),
    created(2, "callback"),
    created(3, "cancel-waiting", 500),
    line("cancel", 120, { task: 3 }),
    created(4, "cancel-running"),
    line("cancel", 120, { task: 4 }),
    created(5, "redelivered"),
    line("redeliver", 125, { task: 5, kind: "invoke" }),
    line("redeliver", 130, { task: 5 }),
    created(6, "failing"),
    line("replay", 140, { task: 1 }),
    line("forge", 140),
    line("stranger", 140, { task: 1 }),
  ],
  effects: [
    line("start", 110, { task: 1, attempt: 1 }),
    line("end", 140, { task: 1, attempt: 1 }),
    line("end", 160, { task: 5, attempt: 1 }),
  ],
  deliveries: [
    line("delivery-start", 130, { taskNo: "no-2" }),
    line("delivery-end", 135, { taskNo: "no-2" }),
    line("delivery", 135, { taskNo: "no-2" }),
  ],
  tasks: [
    task(1),
    task(2, { lane: "callback" }),
    task(3, { status: "cancelled", attempt: 0, charged: 0 }),
    task(4, { status: "cancelled", charged: 0 }),
    task(5, { life: 2 }),
    task(6, { status: "failed", attempt: 3, charged: 3 }),
  ],
  attempts: [
    attempt(1),
    attempt(2),
    attempt(4, { outcome: "cancelled", charged: false }),
    attempt(5, { life: 2 }),
  ],
  faults: [],
};

/** The good session with another row for one task. */
const withTask = (id: number, more: Partial<TaskFinal>): Partial<Session> => ({
  tasks: GOOD.tasks.map((one) => (one.id === id ? { ...one, ...more } : one)),
});

/** The good session with another answer to one operation of the load. */
const withFailed = (op: string): Partial<Session> => ({
  load: GOOD.load.map((one) => (one.op === op ? { ...one, kind: "fail" } : one)),
});

const BROKEN: Readonly<Record<string, Partial<Session>>> = {
  "G1 accepted is stored": { load: [created(9, "job")] },
  "G2 accepted comes to an end": withTask(1, { status: "running" }),
  "G3 one success at most in a life, and nothing after it": {
    attempts: [...GOOD.attempts, attempt(1, { attempt: 2 })],
  },
  "G3 only a redelivery begins a new life, and it does": {
    attempts: [...GOOD.attempts, attempt(6, { life: 2, outcome: "failed" })],
  },
  "G5 deliveries of a task do not overlap": {
    deliveries: [line("delivery-start", 129, { taskNo: "no-2" }), ...GOOD.deliveries],
  },
  "G5 attempts of a task do not overlap": {
    effects: [...GOOD.effects, line("start", 135, { task: 1, attempt: 2 })],
  },
  "G6 charged attempts stay in the budget, and a lost one is not charged": withTask(1, {
    charged: 12,
  }),
  "G6 what always fails uses its whole budget": withTask(6, { charged: 2 }),
  "G7 nothing starts early": { load: [created(1, "job", 113)] },
  "G8 what runs too long is stopped": {
    attempts: [...GOOD.attempts, attempt(6, { outcome: "timed_out", finishedAt: 4_000 })],
  },
  "G9 what is cancelled does not start any more": {
    effects: [...GOOD.effects, line("start", 500, { task: 3, attempt: 1 })],
  },
  "G9 a cancel that was confirmed stands": withTask(4, { status: "failed" }),
  "G10 one row for each number": { tasks: [...GOOD.tasks, task(9, { taskNo: "no-1" })] },
  "G11 a captured request has no second effect, a forged one none": withFailed("replay"),
  "G12 redirects are not followed": { deliveries: [...GOOD.deliveries, line("trap", 140)] },
  "G15 another application sees nothing and changes nothing": withFailed("stranger"),
  "what is asked right is not refused": {
    load: [...GOOD.load, line("load-failed", 150, { kind: "fail", data: { why: "job: invalid" } })],
  },
  "bystanders: no attempt is lost without a fault": {
    attempts: [
      attempt(1, { outcome: "lost", charged: false }),
      attempt(1, { attempt: 2 }),
      ...GOOD.attempts.slice(1),
    ],
  },
  "effects agree with what is recorded": { deliveries: [] },
};

test("a session without a fault breaks no promise", () => {
  expect(check(GOOD)).toEqual([]);
});

test.each(Object.keys(CHECKERS))("%s: a session that breaks it is refused", (promise) => {
  const broken = check({ ...GOOD, ...BROKEN[promise] });
  expect(broken.map((violation) => violation.promise)).toContain(promise);
});

test("the budget is also broken by a lost attempt that was charged", () => {
  const faults = [{ fault: "kill-self", from: 100, healedAt: 150, to: 200 }] as const;
  const attempts = [attempt(1, { outcome: "lost", attempt: 0 }), ...GOOD.attempts];
  const found = check({ ...GOOD, attempts, faults });
  expect(found.map(({ promise }) => promise)).toEqual([
    "G6 charged attempts stay in the budget, and a lost one is not charged",
  ]);
});

test("an overlap is excused only while a process stood still", () => {
  const effects = [...GOOD.effects, line("start", 135, { task: 1, attempt: 2 })];
  const at = (fault: "freeze-self" | "kill-self", from: number) =>
    check({ ...GOOD, effects, faults: [{ fault, from, healedAt: from, to: from + 10 }] }).length;
  expect(at("freeze-self", 130)).toBe(0);
  expect(at("freeze-self", 136)).toBe(1);
  expect(at("kill-self", 130)).toBe(1);
});

test.each(Object.keys(PLANTS))(
  "the planted bug %p fits the sources and names a promise",
  (name) => {
    expect(patchesOf(name).length).toBeGreaterThan(0);
    expect(Object.keys(CHECKERS)).toContain(PLANTS[name]?.breaks ?? "");
  },
);
