// All that a job process's main thread and its owner say to each other over fork IPC, as JSON.
import type { Vitals } from "../core/attempt.ts";
import type { Death } from "./job-host.ts";
import type { MemoryPages } from "./memory-pages.ts";
import type { AttemptOrder, FromJobWorker, ToJobWorker } from "./protocol.ts";

/** What the main thread is asked, with an answer. */
export type ProcessQuestion =
  | { readonly kind: "ping"; readonly withinMs: number }
  | { readonly kind: "withdraw" }
  | { readonly kind: "has-ended" }
  | { readonly kind: "read" };

export type ToJobProcess =
  | {
      readonly kind: "boot";
      readonly env: Readonly<Record<string, string>>;
      /** From `openEntry`. */
      readonly entry: string | null;
      /** The value of this process's own mark. */
      readonly mark: string;
    }
  | { readonly kind: "post"; readonly message: ToJobWorker }
  | { readonly kind: "offer"; readonly order: AttemptOrder }
  /** The right to the attempt ends in `leftMs`, unless this is said again. */
  | { readonly kind: "lease"; readonly leftMs: number }
  | { readonly kind: "ask"; readonly id: number; readonly question: ProcessQuestion };

/** What the process uses up rides on all that it says, so that nobody waits for it. */
interface WithVitals {
  readonly vitals: Vitals | null;
}

export type FromJobProcess =
  | (WithVitals & { readonly kind: "ready" })
  | (WithVitals & { readonly kind: "said"; readonly message: FromJobWorker })
  | (WithVitals & {
      readonly kind: "answer";
      readonly id: number;
      readonly answer: boolean | MemoryPages;
    })
  /** The job ended its thread, or the main thread is about to kill its group: its last word. */
  | (Death & { readonly kind: "death"; readonly memory: MemoryPages });
