// Repeats a step with a pause in between; a failing step is logged and repeated, never piled up.
import { messageOf } from "./errors.ts";
import type { Logger } from "./logger.ts";

/** Runs `step` every `periodMs` after its end; the returned function stops it, and resolves when no step is under way. */
export function every(periodMs: number, step: () => unknown, logger: Logger): () => Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let underWay: Promise<void> = Promise.resolve();
  let isStopped = false;

  async function turn(): Promise<void> {
    try {
      await step();
    } catch (thrown) {
      logger.warn({ error: messageOf(thrown) }, "a periodic step failed and will be repeated");
    }
    schedule();
  }

  function schedule(): void {
    if (isStopped) return;
    timer = setTimeout(() => {
      underWay = turn();
    }, periodMs);
  }

  schedule();
  return () => {
    isStopped = true;
    clearTimeout(timer);
    return underWay;
  };
}
