// An executor process as far as the local queue can tell: a hub between fork IPC and two consumer threads.
import process from "node:process";
import { Worker } from "node:worker_threads";
import { LANES } from "../../src/core/task.ts";
import { linkOfPort, linkOfProcess } from "../../src/process/ipc-link.ts";
import { createLocalQueue } from "../../src/queue/local.ts";

const CONSUMER = new URL("./local-consumer.ts", import.meta.url);

const parent = linkOfProcess(process);
const threads = LANES.map((lane) => linkOfPort(new Worker(CONSUMER, { workerData: lane })));
createLocalQueue({ links: [parent, ...threads] });
for (const thread of threads) {
  thread.onMessage((message) => {
    if ((message as { to?: unknown }).to === "test") parent.send(message);
  });
}
process.once("disconnect", () => process.exit());
