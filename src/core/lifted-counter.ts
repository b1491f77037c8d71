// How far a counter of ids was lifted after an older copy of the database was put back.

/** The next id of a table, before and after; equal where nothing was to be done. */
export interface LiftedCounter {
  readonly table: string;
  readonly from: number;
  readonly to: number;
}
