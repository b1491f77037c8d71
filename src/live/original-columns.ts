// Counts the columns of an error's stack back to what they were before its sources were rewritten; lines are true as they are.
import type { AttemptError } from "../core/attempt.ts";
import type { SourcePlace } from "../job/wire/place.ts";
import type { FromJobWorker } from "../job/wire/protocol.ts";
import { pathOf } from "./frames.ts";
import type { LocationTable, Shift } from "./locations.ts";

/** `at Mailer.send (file:///jobs/lib/mailer.ts:12:5)`; name, brackets and `async` may be missing. */
const FRAME = /^(\s+at (?:async )?(?:.*? \()?)((?:file:\/\/)?\/.*?):(\d+):(\d+)(\)?)$/;

type TableOf = (path: string) => LocationTable | undefined;

/** What a job worker says, the errors in it as if its sources were those on disk. */
export function withOriginalColumns(message: FromJobWorker, tableOf: TableOf): FromJobWorker {
  if (message.kind === "crashed")
    return { ...message, error: originalError(message.error, tableOf) };
  if (message.kind === "refused" && message.place !== undefined)
    return { ...message, place: originalPlace(message.place, tableOf) };
  if (message.kind !== "ended" || message.end.kind !== "threw") return message;
  const { end } = message;
  return { ...message, end: { ...end, error: originalError(end.error, tableOf) } };
}

function originalPlace(place: SourcePlace, tableOf: TableOf): SourcePlace {
  const table = place.isAsWritten ? undefined : tableOf(place.file);
  if (table === undefined) return place;
  return { ...place, column: originalColumn(table.shifts, place.line, place.column) };
}

function originalError(error: AttemptError, tableOf: TableOf): AttemptError {
  if (error.stack === undefined) return error;
  const frames = error.stack.split("\n").map((line) => originalFrame(line, tableOf));
  return { ...error, stack: frames.join("\n") };
}

function originalFrame(frame: string, tableOf: TableOf): string {
  const [, before, file = "", line, column, after] = FRAME.exec(frame) ?? [];
  const table = before === undefined ? undefined : tableOf(pathOf(file));
  if (table === undefined) return frame;
  const original = originalColumn(table.shifts, Number(line), Number(column));
  return `${before}${file}:${line}:${original}${after}`;
}

/** What points into inserted text is shown where that was inserted. */
function originalColumn(shifts: readonly Shift[], line: number, column: number): number {
  let inserted = 0;
  for (const [at, before, length] of shifts) {
    if (at !== line) continue;
    if (column < before + inserted) break;
    inserted += length;
    if (column < before + inserted) return before;
  }
  return column - inserted;
}
