// Rewrites a source so that it notes where it is while it runs. Lines stay where they are, meaning stays what it was.
import type { Program } from "oxc-parser";
import { type LocationTable, MAX_FILES, MAX_LOCATIONS } from "../locations.ts";
import { countErrors, parseModule } from "./parse-module.ts";
import { type InstrumentOptions, type Rewritten, rewrite } from "./rewrite.ts";

export interface Instrumented {
  /** With as many lines as the source. The source itself where there is a note. */
  readonly code: string;
  readonly locations: LocationTable;
  /** Why it was left as it is. */
  readonly note?: string;
  /** True for what must not be loaded as an ES module; then there is a note. */
  readonly isCommonJs?: true;
}

/** Never throws for what a source may say. */
export function instrument(source: string, options: InstrumentOptions): Instrumented {
  const { path, fileNumber } = options;
  if (fileNumber < 1 || fileNumber > MAX_FILES) {
    throw new RangeError(`fileNumber must be 1–${MAX_FILES}, not ${fileNumber}`);
  }
  const untouched = { code: source, locations: { path, fileNumber, entries: [], shifts: [] } };
  const parsed = parseModule(path, source);
  if (parsed.kind === "other") {
    const { note, isCommonJs } = parsed;
    return { ...untouched, note, ...(isCommonJs ? { isCommonJs } : {}) };
  }
  const rewritten = tryRewrite(source, parsed.program, options);
  if (typeof rewritten === "string") return { ...untouched, note: rewritten };
  const { code, entries, shifts } = rewritten;
  return { code, locations: { path, fileNumber, entries, shifts } };
}

function tryRewrite(
  source: string,
  program: Program,
  options: InstrumentOptions,
): Rewritten | string {
  try {
    const rewritten = rewrite(source, program, options);
    if (rewritten.entries.length > MAX_LOCATIONS) return `it has more than ${MAX_LOCATIONS} places`;
    return isBroken(source, rewritten.code, options.path) ? BROKEN : rewritten;
  } catch (thrown) {
    if (thrown instanceof RangeError) return "it is nested too deep";
    throw thrown;
  }
}

const BROKEN = "instrumenting it would break it";

/** What cannot be loaded any more is our mistake; the job is not to pay for it. */
function isBroken(source: string, code: string, path: string): boolean {
  const errors = countErrors(path, code);
  return errors > 0 && errors > countErrors(path, source);
}
