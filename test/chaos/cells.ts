// A cell of the fault matrix: a place in the program and what happens there.
import { FAILPOINTS, type Failpoint } from "../../src/core/failpoints.ts";

/** The first two are done by the process itself, the others by the harness while that one stands still. */
export const FAULTS = [
  ...(["kill-self", "freeze-self", "kill-main"] as const),
  ...(["cut-database", "away-database", "slow-database", "slice-database"] as const),
  ...(["mute-database", "reset-database", "freeze-database", "kill-database"] as const),
  ...(["read-only-database", "cut-redis", "freeze-redis", "flush-redis", "kill-redis"] as const),
  ...(["cut-nsqd", "kill-nsqd", "freeze-nsqd", "empty-nsqd"] as const),
  ...(["cut-receiver", "mute-receiver", "slow-receiver"] as const),
] as const;

export type Fault = (typeof FAULTS)[number];

export interface Cell {
  readonly id: string;
  readonly point: Failpoint;
  readonly fault: Fault;
}

export const ALL_CELLS: readonly Cell[] = FAILPOINTS.flatMap((point) =>
  FAULTS.map((fault) => ({ id: `${point}.${fault}`, point, fault })),
);

/** What a process notes when it takes a cell. */
export interface Taken extends Cell {
  readonly pid: number;
  readonly mainPid: number;
  /** The name of the program that it belongs to. */
  readonly program: string;
  readonly at: number;
}
