// A thread for a job worker, as light as the runtime can make one.
import { Worker as NodeWorker, type Transferable } from "node:worker_threads";

export interface Thread {
  post(message: unknown, transfer: readonly Transferable[]): void;
  /** Calls back once, when it is gone; `thrown` is what nobody in it caught. */
  onExit(hear: (code: number, thrown: unknown) => void): void;
  /** Settles when the runtime says that it is gone: never, while it is in a blocking system call. */
  terminate(): Promise<unknown>;
}

/** `env` is all that its code sees of the environment. */
export type StartThread = (entry: string, env: Readonly<Record<string, string>>) => Thread;

export const startThread: StartThread =
  process.versions["bun"] === undefined ? startNodeThread : startWebThread;

function startNodeThread(...[entry, env]: Parameters<StartThread>): Thread {
  const worker = new NodeWorker(entry, { env: { ...env } });
  let thrown: unknown;
  worker.on("error", (error: unknown) => {
    thrown = error;
  });
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    onExit: (hear) => worker.on("exit", (code) => hear(code, thrown)),
    terminate: () => worker.terminate(),
  };
}

/** Bun's own kind starts in 3 ms of processor time; one of node:worker_threads loads streams first and takes 20. */
function startWebThread(...[entry, env]: Parameters<StartThread>): Thread {
  const worker = new globalThis.Worker(entry, { env: { ...env } });
  const { promise: exited, resolve } = Promise.withResolvers<number>();
  let thrown: unknown;
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    thrown = event.error ?? new Error(event.message);
  });
  worker.addEventListener("close", (event) => resolve(event.code));
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer] as never[]),
    onExit(hear) {
      exited.then((code) => hear(code, thrown)).catch(() => undefined);
    },
    terminate() {
      worker.terminate();
      return exited;
    },
  };
}
