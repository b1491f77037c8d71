// All that a job process's main thread and its owner say to each other over fork IPC, as JSON.
import type { Vitals } from "../../core/attempt.ts";
import type { LiveStack } from "./live-stack.ts";
import type { MemoryPages } from "./memory-pages.ts";
import type { LoadedSource } from "./prepared-source.ts";
import type { AbortMessage, AttemptOrder, Death, FromJobWorker, ToJobWorker } from "./protocol.ts";

/** What the main thread is asked, with an answer. */
export type ProcessQuestion =
  | { readonly kind: "ping"; readonly withinMs: number }
  | { readonly kind: "withdraw"; readonly id: number }
  | { readonly kind: "has-ended"; readonly id: number }
  | AbortMessage
  | { readonly kind: "read" };

/** Where its code is, as far as it is noted; of a `read` also all that it said. */
export interface Seen {
  readonly stack: LiveStack | null;
  readonly memory?: MemoryPages;
}

export type ProcessAnswer = boolean | Seen;

export type ToJobProcess =
  | {
      readonly kind: "boot";
      readonly env: Readonly<Record<string, string>>;
      /** What its thread is to start from. */
      readonly entry: string;
      /** Where rewritten sources are kept; null: its job runs as it is. */
      readonly sourcesDir: string | null;
      /** Where it keeps where it is for the case that all are killed; null: nowhere. */
      readonly dumpsDir: string | null;
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
      readonly answer: ProcessAnswer;
    })
  /** A source of its job is being loaded. */
  | { readonly kind: "loading"; readonly source: LoadedSource }
  /** A file of its job runs without live lines, and why. */
  | { readonly kind: "note"; readonly file: string; readonly note: string }
  /** The job ended its thread, or the main thread is about to kill its group: its last word. */
  | (WithVitals & Death & Required<Seen> & { readonly kind: "death" });
