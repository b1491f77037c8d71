// The one message that reaches a job worker from outside its own port: its first.
import type { Boot } from "../wire/protocol.ts";
import { threads } from "../wire/worker-threads.ts";

/** On Bun a job worker is a Web Worker, which hears on its global; see thread.ts. */
export function hearBoot(hear: (boot: Boot) => void): void {
  if (process.versions["bun"] === undefined) {
    threads.parentPort?.once("message", hear);
    return;
  }
  const scope = globalThis as unknown as EventTarget;
  const onMessage = (event: Event) => hear((event as MessageEvent<Boot>).data);
  scope.addEventListener("message", onMessage, { once: true });
}
