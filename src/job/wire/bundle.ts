// What a bundler makes of a module of ours, and how such a file is named.

/** A module and all it imports, as one. */
export interface Bundle {
  readonly code: string;
  /** Of the same, for this very version of the runtime: to lie beside it, as `.jsc`. */
  readonly bytecode: Uint8Array | null;
}

/** `stem` is the path of its source's name without the ending, `digest` lowercase hex. */
export function bundleName(stem: string, digest: string): string {
  return `${stem}-${digest.slice(0, 32)}.js`;
}

const PLACE = /\/job-(?:worker|process-main)-[0-9a-f]{32}\.js\b/;

/** Whether a line of a stack is in such a file: the place of its sources means nothing there. */
export function isInBundle(line: string): boolean {
  return PLACE.test(line);
}
