// What a migration is: forward only, numbered, with the way out when it stopped half-way.
import type { SqlKind } from "./ddl.ts";

export interface Migration {
  /** Rising; each is used once. */
  readonly version: number;
  readonly name: string;
  readonly statements: (kind: SqlKind) => readonly string[];
  /** What to do by hand when it stopped half-way, before its row in `schema_migrations` is deleted. */
  readonly repair: string;
}
