// A row of the kill matrix; its time is judged by the best of several: a busy machine is late only sometimes.

export type RuntimeName = "Bun" | "Deno";

/** A row of the table. */
export interface Row {
  readonly runtime: RuntimeName;
  readonly isolation: "thread" | "process";
  readonly ending: "timeout" | "cancel";
  readonly action: string;
  readonly outcome: string;
  readonly method: string;
  readonly latencyMs: number;
  /** What is not as it must be; empty: right. */
  readonly wrong: readonly string[];
}

const TRIES = 8;

/** What was too late in this try; a row's own `wrong` counts at once. */
export type Tried = Row & { readonly late: readonly string[] };

/** The row of the first try that is wrong or in time; after many late ones, that it is late. */
export async function inTimeOnce(attempt: () => Promise<Tried>): Promise<Row> {
  for (let tries = 1; ; tries++) {
    const { late, ...row } = await attempt();
    if (late.length === 0 || row.wrong.length > 0) return row;
    if (tries === TRIES) return { ...row, wrong: late.map((what) => `${what}, in ${TRIES} tries`) };
  }
}
