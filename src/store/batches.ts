// Cuts rows into batches a statement can carry, and isolates the rows that a database refuses.
import { type FailureJudge, isAboutRows } from "./failures.ts";

const MOST_ROWS = 500;
/** Well below the 16 MiB a MariaDB server takes in one packet by default, escaping included. */
const MOST_BYTES = 1024 * 1024;

/** Consecutive rows in batches of at most 500 rows or 1 MiB; a row larger than that gets a batch of its own. */
export function batchesOf<Row>(
  rows: readonly Row[],
  bytesOf: (row: Row) => number = noBytes,
  mostRows = MOST_ROWS,
): Row[][] {
  const batches: Row[][] = [];
  let batch: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    const more = bytesOf(row);
    if (batch.length === mostRows || (batch.length > 0 && bytes + more > MOST_BYTES)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += more;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

function noBytes(): number {
  return 0;
}

export interface Halving<Row, Result> {
  /** It judges what `all` throws. */
  readonly failures: FailureJudge;
  /** Does all the rows or none. */
  readonly all: (rows: readonly Row[]) => Promise<Result[]>;
  /** The row that is refused even alone. */
  readonly guilty: (row: Row, cause: unknown) => Promise<Result> | Result;
}

/** Halves what is refused until only guilty rows fail; results are in the order of the rows. */
export async function inHalves<Row, Result>(
  rows: readonly Row[],
  halving: Halving<Row, Result>,
): Promise<Result[]> {
  try {
    return await halving.all(rows);
  } catch (cause) {
    const [first] = rows;
    if (first === undefined || !isAboutRows(cause, halving)) throw cause;
    if (rows.length === 1) return [await halving.guilty(first, cause)];
    const middle = Math.ceil(rows.length / 2);
    const left = await inHalves(rows.slice(0, middle), halving);
    return [...left, ...(await inHalves(rows.slice(middle), halving))];
  }
}

/** Rows by what `keyOf` says about them, each group in the order of the rows. */
export function groupsOf<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
