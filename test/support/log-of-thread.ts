// Logs one line from its main thread and one from a thread, as an executor does.
import { isMainThread, Worker } from "node:worker_threads";
import { createLogger } from "../../src/log.ts";

createLogger({ level: "info" }).info(
  { task_id: 1 },
  `hello from ${isMainThread ? "main" : "thread"}`,
);
if (isMainThread) new Worker(new URL(import.meta.url));
