// A consumer thread as far as the local queue can tell: hears one lane and reports every bell; a bell with task id 1
// makes it ring the other lane.
import { parentPort, workerData } from "node:worker_threads";
import type { Lane } from "../../src/core/task.ts";
import { linkOfPort } from "../../src/process/ipc-link.ts";
import { createLocalQueue } from "../../src/queue/local.ts";

if (parentPort === null) throw new Error("this file is the entry of a thread");
const link = linkOfPort(parentPort);
const lane = workerData as Lane;
const otherLane: Lane = lane === "job" ? "callback" : "job";
const queue = createLocalQueue({ links: [link] });

await queue.listen(lane, (bell) => {
  link.send({ to: "test", hearer: lane, bell });
  if (bell.taskId === 1) {
    queue.ring({ lane: otherLane, dueInMs: 2 }).catch((error: unknown) => {
      link.send({ to: "test", error: String(error) });
    });
  }
});
link.send({ to: "test", hearer: lane, bell: null });
