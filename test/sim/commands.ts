// The steps of a simulated run: each is done to the store and to the model, and both must agree afterwards.
import { deepEqual } from "node:assert/strict";
import fc, { type AsyncCommand } from "fast-check";
import type { Outcome } from "../../src/core/attempt.ts";
import { decideNext } from "../../src/core/outcome.ts";
import type { ClaimedTask } from "../../src/core/task.ts";
import type { Finish } from "../../src/store/store.ts";
import { reapExpired, takeOver } from "../../src/use-cases/reap.ts";
import { claimOf, idOf, present, sampleTask } from "../contract/store/samples.ts";
import { compare } from "./compare.ts";
import {
  cancel,
  claim,
  end,
  isDue,
  type Model,
  type ModelTask,
  newTask,
  RETRY_TOTAL,
  redeliver,
  takeOver as takeOverInModel,
  UNIT_MS,
} from "./model.ts";
import type { World } from "./world.ts";

const NUMBERS = ["a", "b", "c", "d"] as const;
/** How an executor says that an attempt of its own ended. */
const OUTCOMES = ["succeeded", "failed", "timed_out", "crashed", "interrupted"] as const;
const RETRY = {
  strategy: "linear",
  stepS: UNIT_MS / 1_000,
  total: RETRY_TOTAL,
  maxDelayS: 86_400,
  jitter: false,
  retryOnTimeout: true,
} as const;

type Step = AsyncCommand<Model, World>;

/** Compares the two sides after each step. */
function step(title: string, run: (model: Model, world: World) => Promise<void>): Step {
  return {
    check: () => true,
    run: async (model, world) => {
      await run(model, world);
      await compare(model, world);
    },
    toString: () => title,
  };
}

const create = (no: string, delay: number) =>
  step(`create ${no} in ${delay}`, async (model, world) => {
    const { corner, ids } = world;
    const nowMs = await world.store.now();
    const runAt = delay === 0 ? null : nowMs + delay * UNIT_MS;
    const task = sampleTask(corner.applicationId, {
      taskNo: no,
      job: corner.job,
      lane: "job",
      webhookTag: null,
      runAt,
      retry: RETRY,
    });
    const [result] = await world.store.tasks.create([task]);
    const id = idOf(present(result));
    deepEqual(present(result).kind, ids.has(no) ? "existing" : "created");
    deepEqual(ids.get(no) ?? id, id);
    ids.set(no, id);
    if (!model.tasks.has(no)) model.tasks.set(no, newTask(no, model.now + delay));
  });

/** With `isLost` the executor never learns what it claimed. */
export const claimSome = (who: number, slots: number, isLost: boolean) =>
  step(`${who} claims ${slots}${isLost ? ", the answer is lost" : ""}`, async (model, world) => {
    const executor = present(world.executors[who]);
    const its = present(model.executors[who]);
    const turnToken = `${its.serviceId} ${world.nextTurn()}`;
    const request = { ...claimOf(world.corner.job, slots), serviceId: its.serviceId, turnToken };
    const { claimed } = await world.store.tasks.turn([], { ...request, leaseMs: UNIT_MS });
    const due = [...model.tasks.values()].filter((task) => isDue(task, model.now));
    deepEqual(claimed.length, Math.min(slots, due.length));
    const first = due.toSorted((a, b) => a.dueAt - b.dueAt)[claimed.length - 1]?.dueAt ?? 0;
    for (const task of claimed) {
      const known = present(model.tasks.get(task.taskNo));
      deepEqual(isDue(known, model.now) && known.dueAt <= first, true);
      claim(known, its.serviceId, model.now);
      deepEqual([task.fence, task.attempt, task.life], [known.fence, known.attempt, known.life]);
      (isLost ? its.lost : its.believes).push({ no: task.taskNo, fence: task.fence });
    }
    if (isLost) executor.lostTurns.push(turnToken);
    else executor.believes.push(...claimed);
  });

interface Ending {
  /** Which of those that the executor believes to run. */
  readonly pick: number;
  readonly outcome: Outcome;
  /** Something of it may still run. */
  readonly isHeld: boolean;
}

/** An attempt ends, also one that the executor has lost without knowing: then nothing may change. */
export const endOne = (who: number, { pick, outcome, isHeld }: Ending) =>
  step(`${who} ends its ${pick}. as ${outcome}${isHeld ? ", held" : ""}`, async (model, world) => {
    const executor = present(world.executors[who]);
    const its = present(model.executors[who]);
    const [task] = executor.believes.splice(pick % Math.max(1, executor.believes.length), 1);
    if (task === undefined) return;
    const at = its.believes.findIndex((own) => own.no === task.taskNo && own.fence === task.fence);
    its.believes.splice(at, 1);
    const heldBy = isHeld ? its.serviceId : null;
    const finish = finishOf(task, outcome, heldBy);
    const { finished } = await world.store.tasks.turn([finish], null);
    const known = present(model.tasks.get(task.taskNo));
    const isValid = end(known, { fence: task.fence, outcome, heldBy }, model.now);
    deepEqual(finished.length, isValid ? 1 : 0);
  });

function finishOf(task: ClaimedTask, outcome: Outcome, heldBy: string | null): Finish {
  const { taskId, attemptId, fence } = task;
  const error = { name: "Error", message: "it failed" };
  const how = outcome === "succeeded" ? { outcome, result: "1" } : ({ outcome, error } as const);
  const decided = decideNext(how, task, () => 0);
  return { taskId, attemptId, fence, end: how, ...decided, ...(heldBy !== null && { heldBy }) };
}

const renew = (who: number) =>
  step(`${who} renews`, async (model, world) => {
    const leases = present(world.executors[who]).believes.map(({ taskId, attemptId, fence }) => ({
      taskId,
      attemptId,
      fence,
    }));
    const renewed = await world.store.tasks.renew(leases, UNIT_MS);
    const valid = present(model.executors[who]).believes.filter(({ no, fence }) => {
      const known = present(model.tasks.get(no));
      return known.status === "running" && known.fence === fence;
    });
    for (const { no } of valid) present(model.tasks.get(no)).leaseUntil = model.now + 1;
    const asked = valid.filter(({ no }) => model.tasks.get(no)?.isCancelAsked).length;
    deepEqual(renewed.length, valid.length);
    deepEqual(renewed.filter(({ cancelRequested }) => cancelRequested).length, asked);
  });

const cancelOne = (no: string) =>
  step(`cancel ${no}`, async (model, world) => {
    const { applicationId } = world.corner;
    const reference = { applicationId, taskNo: no };
    const { kind } = await world.store.tasks.cancel({ reference });
    const known = model.tasks.get(no);
    deepEqual(kind, cancelKind(known));
    if (known !== undefined) cancel(known);
  });

function cancelKind(known: ModelTask | undefined): string {
  if (known === undefined) return "unknown";
  if (known.status === "pending") return "cancelled";
  return known.status === "running" ? "requested" : "finished";
}

const redeliverOne = (no: string, isForced: boolean) =>
  step(`redeliver ${no}${isForced ? " with force" : ""}`, async (model, world) => {
    const reference = { applicationId: world.corner.applicationId, taskNo: no };
    await world.store.tasks.redeliver({ reference }, { isForced });
    const known = model.tasks.get(no);
    if (known !== undefined) redeliver(known, isForced, model.now);
  });

export const pass = (units: number) =>
  step(`${units} pass`, async (model, world) => {
    await world.pass(units);
    model.now += units;
  });

const reap = () =>
  step("reap", async (model, world) => {
    const returned = await reapExpired(world.store);
    let expected = 0;
    for (const task of model.tasks.values()) {
      if (task.status !== "running" || task.leaseUntil > model.now) continue;
      expected += 1;
      end(task, { fence: task.fence, outcome: "lost" }, model.now);
    }
    deepEqual(returned, expected);
  });

/** Its successor is an executor of another name, and knows nothing. */
export const die = (who: number, cause: "died" | "killed") =>
  step(`${who} ${cause === "died" ? "dies" : "is killed"}`, async (model, world) => {
    const its = present(model.executors[who]);
    const executor = present(world.executors[who]);
    await takeOver(world.store, its.serviceId, { cause });
    takeOverInModel(model, its.serviceId, cause === "died" ? "lost" : "interrupted");
    for (const known of [its.believes, its.lost, executor.believes, executor.lostTurns]) {
      known.length = 0;
    }
    its.serviceId = `${its.serviceId}'`;
  });

/** What it claimed without learning of it comes back uncharged. */
const handBack = (who: number) =>
  step(`${who} hands back`, async (model, world) => {
    const its = present(model.executors[who]);
    const turnTokens = present(world.executors[who]).lostTurns.splice(0);
    if (turnTokens.length === 0) return;
    const { serviceId } = its;
    const found = await world.store.tasks.claimedBy({ serviceId, lane: "job", turnTokens });
    const finishes = found.map(({ taskId, attemptId, fence, ...life }): Finish => {
      const how = { outcome: "interrupted" } as const;
      return { taskId, attemptId, fence, end: how, ...decideNext(how, life, () => 0) };
    });
    await world.store.tasks.settle(finishes, false);
    for (const { no, fence } of its.lost.splice(0)) {
      end(present(model.tasks.get(no)), { fence, outcome: "interrupted" }, model.now);
    }
  });

const who = fc.nat({ max: 1 });
const no = fc.constantFrom(...NUMBERS);

const endingOf = (isHeld: fc.Arbitrary<boolean>) =>
  fc.record({ pick: fc.nat({ max: 3 }), outcome: fc.constantFrom(...OUTCOMES), isHeld });

/** Weighted: without claims and ends nothing much happens. */
export const STEPS = [
  fc.tuple(no, fc.nat({ max: 2 })).map((args) => create(...args)),
  fc
    .tuple(who, fc.integer({ min: 1, max: 3 }), fc.constant(false))
    .map((args) => claimSome(...args)),
  fc.tuple(who, fc.integer({ min: 1, max: 3 }), fc.boolean()).map((args) => claimSome(...args)),
  fc.tuple(who, endingOf(fc.constant(false))).map((args) => endOne(...args)),
  fc.tuple(who, endingOf(fc.boolean())).map((args) => endOne(...args)),
  who.map(renew),
  no.map(cancelOne),
  fc.tuple(no, fc.boolean()).map((args) => redeliverOne(...args)),
  fc.integer({ min: 1, max: 2 }).map(pass),
  fc.constant(null).map(reap),
  fc.tuple(who, fc.constantFrom("died" as const, "killed" as const)).map((args) => die(...args)),
  who.map(handBack),
];
