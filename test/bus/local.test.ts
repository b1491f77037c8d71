// What is peculiar to the bus without a server: it shares its links with others.
import { expect, test } from "bun:test";
import { MessageChannel } from "node:worker_threads";
import { createLocalBus } from "../../src/bus/local.ts";
import type { LiveAnswer, LiveQuestion } from "../../src/core/live.ts";
import { linkOfPort } from "../../src/process/ipc-link.ts";
import { createLocalQueue } from "../../src/queue/local.ts";
import type { Doorbell } from "../../src/queue/queue.ts";
import { collectHeard } from "../support/heard.ts";

const QUESTION: LiveQuestion = { kind: "inspect", taskId: 81, fence: 3 };
const ANSWER: LiveAnswer = { kind: "unknown" };

test("a bus and a queue share one link, and malformed messages on it are ignored", async () => {
  const { port1, port2 } = new MessageChannel();
  const [near, far] = [linkOfPort(port1), linkOfPort(port2)];
  const [main, executor] = [createLocalBus({ links: [near] }), createLocalBus({ links: [far] })];
  const [ringer, hearer] = [
    createLocalQueue({ links: [near] }),
    createLocalQueue({ links: [far] }),
  ];
  const heard = collectHeard<Doorbell>();
  const asked: LiveQuestion[] = [];
  await hearer.listen("job", heard.hear);
  await executor.serve("executor", async (question) => {
    asked.push(question);
    return ANSWER;
  });
  const ask = { to: "bus", kind: "ask", id: 1, serviceId: "executor" };
  const malformed = [null, {}, { ...ask }, { ...ask, id: "1", question: QUESTION }];
  for (const message of malformed) near.send(message);
  near.send({ ...ask, question: { kind: "kill", taskId: 1, fence: 1 } });
  far.send({ to: "bus", kind: "answer", id: 1 });
  await ringer.ring({ lane: "job", dueInMs: 0 });
  expect(await main.ask("executor", QUESTION, 2_000)).toEqual(ANSWER);
  await heard.atLeast(1);
  expect([asked.length, heard.all.length]).toEqual([1, 1]);
  await Promise.all([main, executor, ringer, hearer].map((end) => end.close()));
  port1.close();
});

test("the executor that serves the id answers, whichever link it is on", async () => {
  const [first, second] = [new MessageChannel(), new MessageChannel()];
  const main = createLocalBus({ links: [linkOfPort(first.port1), linkOfPort(second.port1)] });
  const other = createLocalBus({ links: [linkOfPort(first.port2)] });
  const executor = createLocalBus({ links: [linkOfPort(second.port2)] });
  await other.serve("other", async () => ({ kind: "unknown" }));
  const receipt = { killed: true, method: "thread", latencyMs: 1 } as const;
  await executor.serve("executor", async () => ({ kind: "receipt", receipt }));
  expect(await main.ask("executor", QUESTION, 2_000)).toEqual({ kind: "receipt", receipt });
  expect(await main.ask("other", QUESTION, 2_000)).toEqual({ kind: "unknown" });
  await Promise.all([main, other, executor].map((bus) => bus.close()));
  first.port1.close();
  second.port1.close();
});
