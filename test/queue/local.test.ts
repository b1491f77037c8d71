// What is peculiar to the queue without a server: its way over links between processes and threads.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { MessageChannel } from "node:worker_threads";
import type { Link } from "../../src/core/link.ts";
import { linkOfPort, linkOfProcess } from "../../src/process/ipc-link.ts";
import { createLocalQueue } from "../../src/queue/local.ts";
import type { Doorbell } from "../../src/queue/queue.ts";
import { collectHeard } from "../support/heard.ts";
import { describeLatencies } from "../support/latencies.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";

const EXECUTOR = fileURLToPath(new URL("../support/local-executor.ts", import.meta.url));
const NOW = { lane: "job", dueInMs: 0 } as const;

setDefaultTimeout(TEST_LIMIT_MS);

describe("over fork IPC and threads", () => {
  let executor: ChildProcess;
  const reports = collectHeard<{ hearer: string; bell: Doorbell | null }>();

  beforeEach(async () => {
    executor = fork(EXECUTOR, { execArgv: ["--no-install"] });
    linkOfProcess(executor).onMessage((message) => {
      if (isReport(message)) reports.hear(message);
    });
    await reports.atLeast(2);
  });
  afterEach(() => {
    executor.kill("SIGKILL");
  });

  test("a bell of the main process reaches the thread of its lane alone, and threads ring each other", async () => {
    const queue = createLocalQueue({ links: [linkOfProcess(executor)] });
    await queue.ring({ lane: "job", dueInMs: 1, taskId: 1 });
    await reports.atLeast(4);
    expect(reports.all.slice(2)).toMatchObject([
      { hearer: "job", bell: { lane: "job", dueInMs: 1, taskId: 1 } },
      { hearer: "callback", bell: { lane: "callback", dueInMs: 2 } },
    ]);
    const timesMs: number[] = [];
    for (let count = 5; count < 305; count++) {
      const startedAt = performance.now();
      await queue.ring(NOW);
      await reports.atLeast(count);
      timesMs.push(performance.now() - startedAt);
    }
    console.log(describeLatencies("main process to a consumer thread and back", timesMs));
    await queue.close();
  });
});

describe("over ports", () => {
  const channel = new MessageChannel();
  const [near, far] = [linkOfPort(channel.port1), linkOfPort(channel.port2)];

  test("what else is said on a link is no bell, nor is a malformed one", async () => {
    const heard = collectHeard<Doorbell>();
    const queue = createLocalQueue({ links: [near] });
    await queue.listen("job", heard.hear);
    const others = [null, "bell", { to: "bus", bell: NOW }, { to: "queue" }, { bell: NOW }];
    const malformed = [
      { lane: "x", dueInMs: 0 },
      { lane: "job" },
      { lane: "job", dueInMs: Number.POSITIVE_INFINITY },
    ];
    for (const message of others) far.send(message);
    for (const bell of malformed) far.send({ to: "queue", bell });
    far.send({ to: "queue", bell: { ...NOW, taskId: 9 } });
    expect(await heard.atLeast(1)).toEqual([{ ...NOW, taskId: 9 }]);
    await queue.close();
  });

  test("a bell for which nobody listens is passed on, but never back", async () => {
    const elsewhere = new MessageChannel().port1;
    const [back, on] = [recordSends(near), recordSends(linkOfPort(elsewhere))];
    const queue = createLocalQueue({ links: [back.link, on.link] });
    const passed = on.sent.atLeast(1);
    far.send({ to: "queue", bell: NOW });
    expect(await passed).toEqual([{ to: "queue", bell: NOW }]);
    expect(back.sent.all).toEqual([]);
    await queue.close();
    elsewhere.close();
  });

  test("a closed queue hears no more of its links", async () => {
    const heard = collectHeard<Doorbell>();
    const [closed, other] = [
      createLocalQueue({ links: [near] }),
      createLocalQueue({ links: [near] }),
    ];
    await closed.listen("job", () => {
      throw new Error("a closed queue was heard");
    });
    await other.listen("job", heard.hear);
    await closed.close();
    far.send({ to: "queue", bell: NOW });
    await heard.atLeast(1);
    await other.close();
    channel.port1.close();
  });
});

describe("in one thread", () => {
  test("a ring or a resume never calls the listener before it returns", async () => {
    const heard = collectHeard<Doorbell>();
    const queue = createLocalQueue({ links: [] });
    const listener = await queue.listen("job", heard.hear);
    const ringing = queue.ring(NOW);
    expect(heard.all).toEqual([]);
    await ringing;
    await heard.atLeast(1);
    listener.pause();
    await queue.ring(NOW);
    await Promise.resolve();
    listener.resume();
    expect(heard.all.length).toBe(1);
    await heard.atLeast(2);
  });

  test("many bells during a pause are one afterwards", async () => {
    const heard = collectHeard<Doorbell>();
    const queue = createLocalQueue({ links: [] });
    const listener = await queue.listen("job", heard.hear);
    listener.pause();
    for (let taskId = 1; taskId <= 1_000; taskId++) await queue.ring({ ...NOW, taskId });
    listener.resume();
    await queue.ring({ lane: "job", dueInMs: 5 });
    expect(await heard.atLeast(2)).toMatchObject([{ ...NOW, taskId: 1 }, { dueInMs: 5 }]);
  });
});

function isReport(message: unknown): message is { hearer: string; bell: Doorbell | null } {
  const { to, hearer, bell } = message as Record<string, unknown>;
  return to === "test" && typeof hearer === "string" && bell !== undefined;
}

function recordSends(link: Link) {
  const sent = collectHeard<unknown>();
  const recording: Link = { send: sent.hear, onMessage: (hear) => link.onMessage(hear) };
  return { sent, link: recording };
}
