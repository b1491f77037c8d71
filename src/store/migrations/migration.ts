// What a migration is: forward only, numbered, with the way out when it stopped half-way.
import type { Ddl } from "./ddl.ts";

export interface Migration {
  /** Rising; each is used once. */
  readonly version: number;
  readonly name: string;
  /**
   * Programs that know the migrations up to this number can live with the schema after each statement of this one:
   * it only adds tables and columns that are nullable or have a default. Absent: it shuts older programs out.
   */
  readonly oldestProgram?: number;
  readonly statements: (ddl: Ddl) => readonly string[];
  /** What to do by hand when it stopped half-way, before its row in the journal is deleted. */
  readonly repair: string;
}
