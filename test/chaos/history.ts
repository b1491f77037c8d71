// What the processes of a fault session note: one JSON line each, in a file of their own.
import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** `info`: nobody knows whether it happened. */
export type HistoryKind = "invoke" | "ok" | "fail" | "info";

export interface HistoryLine {
  /** Epoch ms: the one clock that all processes of a machine share; Bun counts its hrtime from each start. */
  readonly at: number;
  readonly process: string;
  readonly op: string;
  readonly kind: HistoryKind;
  /** The id of a task, once it is known. */
  readonly task?: number;
  readonly taskNo?: string;
  readonly attempt?: number;
  /** What else the operation is about. */
  readonly data?: Readonly<Record<string, unknown>>;
}

export type Note = Omit<HistoryLine, "at" | "process">;

/** Appends synchronously: what was noted before a kill is there. */
export function openHistory(file: string, processName: string): (note: Note) => void {
  return (note) => {
    const line = { at: Date.now(), process: processName, ...note };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  };
}

/** Lines that a kill cut off are left out. */
export function readHistory(file: string): HistoryLine[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((text) => {
      try {
        return [JSON.parse(text) as HistoryLine];
      } catch {
        return [];
      }
    });
}
