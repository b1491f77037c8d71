// The order in which due tasks are begun: as SQL and as a comparison of rows, from one list of columns.
import { type RawBuilder, sql } from "kysely";

const DISPATCH_COLUMNS = ["run_at", "id"] as const;

/** For `order by`. */
export const dispatchOrder: RawBuilder<unknown> = sql.join(
  DISPATCH_COLUMNS.map((column) => sql.ref(column)),
);

/** For `sort`: negative when `a` is begun before `b`. */
export function inDispatchOrder(a: DispatchPlace, b: DispatchPlace): number {
  const column = DISPATCH_COLUMNS.find((each) => a[each] !== b[each]);
  return column === undefined ? 0 : a[column] - b[column];
}

export type DispatchPlace = Readonly<Record<(typeof DISPATCH_COLUMNS)[number], number>>;
