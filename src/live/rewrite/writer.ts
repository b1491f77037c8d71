// What the parts that write into one region share: its frame, where they insert, and what is noted already.

import { CALLS, DEPTH, HANDLE } from "../../job/wire/names.ts";
import type { Activities } from "./activity.ts";
import type { FramePlan } from "./frame-plan.ts";
import type { Insertions } from "./insertions.ts";
import type { Region } from "./regions.ts";
import type { StoredLines } from "./stored-lines.ts";
import type { Node } from "./syntax.ts";

/** Where a statement begins and ends with its labels, and whether another one beside it needs braces. */
export interface Place {
  readonly start: number;
  readonly end: number;
  readonly isAlone: boolean;
}

export interface Writer {
  /** Writes into one statement. */
  readonly write: (statement: Node, place: Place) => void;
  readonly region: Region;
  readonly plan: FramePlan;
  readonly insert: Insertions;
  readonly activities: Activities;
  readonly lines: StoredLines;
  /** The location of a line of this region, as its frame notes it. */
  readonly locate: (line: number) => number;
  /** False in mode `functions`: frames only. */
  readonly storesLines: boolean;
  /** Some suspension may be left without the code after it: every way out of a loop has to take the frame back. */
  readonly isShaky: boolean;
  /** The last statement of the region itself in which time passes. */
  readonly lastActive: Node | null;
  /** The line that is certainly noted where the writing is; undefined where several ways meet. */
  line: number | undefined;
  /** Statements around that run something after a `return` inside them. */
  guards: number;
  /** Loops around. */
  loops: number;
  /** Resources declared so far, for their names. */
  resources: number;
}

/** True when its frame leaves the stack while it is suspended. */
export function isSuspending({ plan }: Writer): boolean {
  return plan.kind !== "sync";
}

/** True when its frame is in the table of those that await: of the others it has the depth. */
export function keepsHandle({ plan }: Writer): boolean {
  return plan.kind === "async" || plan.kind === "async-generator";
}

/** Notes a line; an expression without a value. */
export function storeText(writer: Writer, line: number): string {
  const location = writer.locate(line);
  if (keepsHandle(writer)) return `${CALLS.storeOpen}(${HANDLE},${location})`;
  return `${CALLS.store}(${DEPTH},${location})`;
}

/** Puts the frame back if it is suspended, and notes a line; an expression without a value. */
export function regainText(writer: Writer, line: number): string {
  const location = writer.locate(line);
  switch (writer.plan.kind) {
    case "sync":
      return `${CALLS.caught}(${DEPTH})`;
    case "generator":
      return `${DEPTH}=${CALLS.reenter}(${DEPTH},${location})`;
    case "async":
    case "async-generator":
      return `${HANDLE}=${CALLS.regain}(${HANDLE},${location})`;
  }
}

/** Takes the frame off the stack until an await is over; an expression without a value. */
export function parkText(writer: Writer, line: number): string {
  return `${HANDLE}=${CALLS.park}(${HANDLE},${writer.locate(line)})`;
}
