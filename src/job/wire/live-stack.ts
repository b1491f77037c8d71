// Where the code of a job worker is, as it is read out of the live memory.
import type { Frame, WaitingPoint } from "../../core/views/stack.ts";

export interface LiveStack {
  /** `running`: instrumented code is on the stack. Otherwise all of it is suspended, or has not begun. */
  readonly state: "running" | "waiting";
  /**
   * Innermost first. While it waits: the waiting point that most wait at; if nothing awaits, where code was last.
   * Of very many the innermost 250 and the outermost 50.
   */
  readonly frames: readonly Frame[];
  /** How many are left out between the two. */
  readonly omitted: number;
  /** Where async calls are suspended whose own async calls are not; most first, at most 100 places. */
  readonly waiting: readonly WaitingPoint[];
  /** True when the code went on while it was read: then the outer frames are right, the inner ones were. */
  readonly moving: boolean;
  /** How many times code came back from an await; read before its place. */
  readonly resumed: number;
}
