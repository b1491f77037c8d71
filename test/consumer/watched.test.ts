// What a consumer hands on of watched attempts, and where it notes that they are.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { OwnedAttempt } from "../../src/consumer/attempt-table.ts";
import { keepCheckpoints } from "../../src/consumer/checkpoints.ts";
import { createWatches, type FeedNews, type Watches } from "../../src/consumer/watched.ts";
import type { LiveView } from "../../src/core/attempt.ts";
import type { Checkpoint } from "../../src/core/checkpoint.ts";
import type { ClaimedTask } from "../../src/core/task.ts";
import { eventsAfter } from "../../src/core/trace-events.ts";
import type { TraceEvent } from "../../src/core/views/trace-event.ts";
import { eventually } from "../support/eventually.ts";
import {
  addApplication,
  addTask,
  claimTask,
  createWorld,
  type World,
} from "../support/use-case-world.ts";

const VIEW: LiveView = {
  state: "running",
  frames: [{ file: "/jobs/a.ts", line: 3, function: "run" }],
  vars: { page: 1 },
  round: 0,
  elapsedMs: 5,
  progress: null,
};

let world: World;
let task: ClaimedTask;

beforeEach(async () => {
  world = await createWorld();
  const { id: applicationId } = await addApplication(world, { appKey: "app" });
  await addTask(world.store, { applicationId, taskNo: "one" });
  task = await claimTask(world.store);
});
afterEach(() => world.close());

/** An attempt that runs, says what is in `said` and is where `view` says. */
function own(said: TraceEvent[], view: () => LiveView = () => VIEW): OwnedAttempt {
  const { taskId, attemptId, fence } = task;
  return {
    running: {
      task,
      ended: Promise.withResolvers<never>().promise,
      gone: Promise.withResolvers<never>().promise,
      inspect: () => Promise.resolve(view()),
      eventsAfter: (seq) => eventsAfter(said, seq),
      stop: () => undefined,
    },
    lease: { taskId, attemptId, fence },
    validUntil: Number.POSITIVE_INFINITY,
    written: false,
    offered: false,
    beganMs: 0,
    clockOffsetMs: 0,
    held: false,
  };
}

function say(seq: number): TraceEvent {
  return { seq, at: seq, type: "log", data: { level: "info", message: String(seq) } };
}

describe("a watched attempt", () => {
  let news: FeedNews[];
  let watches: Watches;

  beforeEach(() => {
    news = [];
    watches = createWatches({ publish: (told) => news.push(told), logger: world.logger });
  });
  afterEach(() => watches.close());

  const seqs = () => news.flatMap(({ events }) => events.map(({ seq }) => seq));
  const until = (isSo: () => boolean) => eventually(() => (isSo() ? true : undefined));

  test("is told from its beginning, then what it says, once each", async () => {
    const said = [say(1), say(2)];
    watches.renew(own(said), 0);
    expect(seqs()).toEqual([1, 2]);
    said.push(say(3));
    await until(() => seqs().length === 3);
    said.push(say(4));
    await until(() => seqs().length === 4);
    expect(seqs()).toEqual([1, 2, 3, 4]);
    expect(news[0]).toMatchObject({ feed: `${task.taskId}-${task.fence}`, isEnded: false });
  });

  test("is told again from where a new watcher stands, and not when one only stays", () => {
    const owned = own([say(1), say(2), say(3)]);
    watches.renew(owned, 0);
    watches.renew(owned, undefined);
    expect(seqs()).toEqual([1, 2, 3]);
    watches.renew(owned, 1);
    expect(seqs()).toEqual([1, 2, 3, 2, 3]);
  });

  test("is told to its end, which follows when that is in the store", async () => {
    const owned = own([say(1)]);
    watches.renew(owned, 0);
    const events = [say(1), say(2), say(3)];
    owned.end = { outcome: "succeeded", trace: { view: null, events } };
    await until(() => seqs().length === 3);
    expect(news.some(({ isEnded }) => isEnded)).toBe(false);
    owned.written = true;
    await until(() => news.at(-1)?.isEnded === true);
    expect(seqs()).toEqual([1, 2, 3]);
  });

  test("that cannot be read is given up, and costs nobody else anything", () => {
    const owned = own([]);
    const broken = { ...owned.running, eventsAfter: () => JSON.parse("{") as TraceEvent[] };
    watches.renew({ ...owned, running: broken }, 0);
    expect(news).toEqual([]);
    expect(world.lines.map(({ message }) => message).join()).toContain("could not be read");
  });
});

describe("checkpoints", () => {
  test("are written for who is somewhere, and only when that changed", async () => {
    let view: LiveView = { ...VIEW, frames: [], vars: null };
    let looks = 0;
    const written: (readonly Checkpoint[])[] = [];
    const { attempts } = world.store;
    const store = {
      tasks: world.store.tasks,
      attempts: {
        ...attempts,
        checkpoint: (checkpoints: readonly Checkpoint[]) => {
          written.push(checkpoints);
          return attempts.checkpoint(checkpoints);
        },
      },
    };
    const owned = own([], () => {
      looks += 1;
      return { ...view, elapsedMs: looks };
    });
    const stop = keepCheckpoints({
      store,
      leaseMs: 30,
      logger: world.logger,
      owned: () => [owned],
    });
    const fewMore = async () => {
      const before = looks;
      await eventually(() => (looks > before + 3 ? true : undefined));
    };
    await fewMore();
    expect(await attempts.lastCheckpoint(task.attemptId)).toBeNull();
    view = VIEW;
    await fewMore();
    view = { ...VIEW, vars: { page: 2 } };
    await fewMore();
    await stop();
    expect(written).toHaveLength(2);
    const last = await attempts.lastCheckpoint(task.attemptId);
    expect(last?.view).toMatchObject({ vars: { page: 2 } });
    expect(Math.abs((last?.writtenAt ?? 0) - Date.now())).toBeLessThan(10_000);
  });
});
