// A program or a thread that rings through nsqd, hears its own bells, closes, and must then end by itself.
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { createNsqQueue } from "../../src/queue/nsq.ts";
import { collectHeard } from "./heard.ts";
import { describeLatencies } from "./latencies.ts";
import { createRecordedLog } from "./recorded-log.ts";

const ROUNDS = 200;

export interface RingAndHearData {
  readonly tcpAddress: string;
  readonly topic: string;
  /** Ring once and close without waiting for anything. */
  readonly inHaste?: boolean;
}

const { tcpAddress, topic, inHaste } = (workerData ??
  JSON.parse(process.argv[2] ?? "{}")) as RingAndHearData;
const queue = createNsqQueue(
  { nsqdTcpAddresses: [tcpAddress], lookupdHttpAddresses: [], topic, channel: "executors" },
  { logger: createRecordedLog() },
);
const line = inHaste ? await ringInHaste() : await ringAndHear();
await queue.close();
if (parentPort === null) console.log(line);
else parentPort.postMessage(line);

async function ringInHaste(): Promise<string> {
  const ring = queue.ring({ lane: "job", dueInMs: 0 });
  const listening = queue.listen("job", () => undefined);
  const outcomes = Promise.allSettled([ring, listening]);
  await queue.close();
  return (await outcomes).map((outcome) => outcome.status).join();
}

async function ringAndHear(): Promise<string> {
  const heard = collectHeard<unknown>();
  const timesMs: number[] = [];
  await queue.listen("job", heard.hear);
  for (let count = 1; count <= ROUNDS; count++) {
    const startedAt = performance.now();
    await queue.ring({ lane: "job", dueInMs: 0 });
    await heard.atLeast(count);
    timesMs.push(performance.now() - startedAt);
  }
  return describeLatencies("ring to hear", timesMs);
}
