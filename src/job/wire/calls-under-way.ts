// The calls of the platform that a job has not come back from, as they lie in shared memory.
import type { PlatformCall } from "../../core/attempt.ts";
import { type SharedMemory, writeText } from "./shared-memory.ts";

export interface CallUnderWay extends PlatformCall {
  /** Where it was called, as the engine prints it; "" where too many calls came at once to tell. */
  readonly stack: string;
}

/** More at once are not noted: no reader could tell which of them is meant. */
const MOST_CALLS = 4;
/** Enough for the frames of the platform and those around the call. */
const STACK_CHARACTERS = 1_500;

export interface CallNotes {
  /** Notes a call; returns how to note that it has come back. */
  begin(call: CallUnderWay): () => void;
}

/** `stringify` may not be the job's own. */
export function noteCalls(
  memory: Pick<SharedMemory, "calls">,
  stringify: (value: unknown) => string,
): CallNotes {
  const underWay = new Set<CallUnderWay>();
  const write = () =>
    writeText(memory.calls, underWay.size > MOST_CALLS ? "" : stringify([...underWay]));
  return {
    begin(call) {
      const noted = { ...call, stack: call.stack.slice(0, STACK_CHARACTERS) };
      underWay.add(noted);
      write();
      return () => {
        underWay.delete(noted);
        write();
      };
    },
  };
}
