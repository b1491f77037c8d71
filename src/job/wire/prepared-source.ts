// What job workers load in place of the files of a job, and how closely that notes where it is.

/**
 * `functions`: which functions it is in. `full`: also on which line of each. `lean`: like `full`, but small functions
 * in which no time passes have no frame; what is lost is only that they are on the way.
 */
export type TraceMode = "functions" | "lean" | "full";

/** What a job worker is to load in place of a file; `hash` is the SHA-256 of the file, where it could be read. */
export type PreparedSource = { readonly hash?: string } & (
  | { readonly kind: "rewritten"; readonly copy: string }
  /** The file itself; `note` says why. */
  | { readonly kind: "plain"; readonly note: string; readonly isCommonJs: boolean }
);

/** Where prepared sources come from. */
export interface SourceSupply {
  /** Reads the file anew each time, so that a changed one is seen. Rejects when it cannot be read or kept. */
  prepare(path: string, mode: TraceMode): Promise<PreparedSource>;
}

/** A source as a job worker loaded it. */
export interface LoadedSource {
  readonly path: string;
  /** Lowercase hex SHA-256 of its bytes. */
  readonly hash: string;
  /** The rewritten copy that was loaded in its place. */
  readonly copy?: string;
}
