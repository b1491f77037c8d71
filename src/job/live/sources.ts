// Hands out instrumented sources, each made once and kept on disk, and knows the tables to read them by.
import { createHash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { extname, join } from "node:path";
import { hashOf } from "../excerpts.ts";
import type { Instrumented } from "./instrument.ts";
import { type LocationTable, MAX_FILES } from "./locations.ts";
import type { InstrumentOptions, TraceMode } from "./rewrite.ts";

/** What a job worker is to load in place of a file; `hash` is the SHA-256 of the file, where it could be read. */
export type PreparedSource = { readonly hash?: string } & (
  | { readonly kind: "rewritten"; readonly copy: string }
  /** The file itself; `note` says why. */
  | { readonly kind: "plain"; readonly note: string; readonly isCommonJs: boolean }
);

export interface LiveSources {
  /** Reads the file anew each time, so that a changed one is seen. */
  prepare(path: string, mode: TraceMode): PreparedSource;
  /** For `readLive`. */
  findTable(fileNumber: number): LocationTable | undefined;
}

type Instrument = (source: string, options: InstrumentOptions) => Instrumented;

/** Bun takes any text under any name; Deno goes by the name, and by a package.json beside it if that leaves a choice. */
const COPY_EXTENSIONS: Readonly<Record<string, string>> = { ".ts": ".mts", ".js": ".mjs" };

const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

/** `cacheDir` is made, and copies nobody made for a month are removed. Never rejects because of the parser. */
export async function openLiveSources(cacheDir: string): Promise<LiveSources> {
  mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
  removeOld(cacheDir, Date.now() - KEPT_DAYS * DAY_MS);
  return createLiveSources(cacheDir, await loadInstrument());
}

/** The parser is native: where its binding is missing, jobs run without live lines. */
async function loadInstrument(): Promise<{ readonly make: Instrument; readonly version: number }> {
  try {
    const { instrument, INSTRUMENTER_VERSION } = await import("./instrument.ts");
    return { make: instrument, version: INSTRUMENTER_VERSION };
  } catch (thrown) {
    const note = `the parser cannot be loaded: ${String(thrown).split("\n", 1)[0]}`;
    const make: Instrument = (code, { path, fileNumber }) => ({
      code,
      locations: { path, fileNumber, entries: [], shifts: [] },
      note,
    });
    return { make, version: 0 };
  }
}

function createLiveSources(
  cacheDir: string,
  { make, version }: { readonly make: Instrument; readonly version: number },
): LiveSources {
  const tables = new Map<number, LocationTable>();
  const numbers = new Map<string, number>();
  const prepared = new Map<string, PreparedSource>();

  /** The same for the same source as long as no other one has it, so that copies outlive the process. */
  const numberOf = (identity: string): number => {
    const known = numbers.get(identity);
    if (known !== undefined) return known;
    let number = (Number.parseInt(identity.slice(0, 12), 16) % MAX_FILES) + 1;
    while (tables.has(number)) number = (number % MAX_FILES) + 1;
    numbers.set(identity, number);
    return number;
  };

  const makeCopy = (source: string, options: InstrumentOptions, copy: string): PreparedSource => {
    const { code, locations, note, isCommonJs = false } = make(source, options);
    tables.set(options.fileNumber, locations);
    if (note !== undefined) return { kind: "plain", note, isCommonJs };
    writeWhole(`${copy}.json`, JSON.stringify(locations));
    writeWhole(copy, code);
    return { kind: "rewritten", copy };
  };

  const readCopy = (copy: string, fileNumber: number): PreparedSource | undefined => {
    const table = readTable(`${copy}.json`);
    if (table === undefined || !isFile(copy)) return;
    tables.set(fileNumber, table);
    return { kind: "rewritten", copy };
  };

  return {
    prepare(path, mode) {
      if (tables.size >= MAX_FILES) return plain("too many sources since the process began");
      const bytes = readFileSync(path);
      const source = bytes.toString("utf8");
      const identity = hash([version, mode, path, source]);
      const known = prepared.get(identity);
      if (known !== undefined) return known;
      const fileNumber = numberOf(identity);
      const extension = extname(path);
      const name = `${hash([identity, fileNumber])}${COPY_EXTENSIONS[extension] ?? extension}`;
      const copy = join(cacheDir, name);
      const made = readCopy(copy, fileNumber) ?? makeCopy(source, { path, fileNumber, mode }, copy);
      const result = { ...made, hash: hashOf(bytes) };
      prepared.set(identity, result);
      return result;
    },
    findTable: (fileNumber) => tables.get(fileNumber),
  };
}

function plain(note: string): PreparedSource {
  return { kind: "plain", note, isCommonJs: false };
}

function hash(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Another process may be making the same one. */
function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

function readTable(path: string): LocationTable | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as LocationTable;
  } catch {
    return;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function removeOld(folder: string, beforeMs: number): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() && stats.mtimeMs < beforeMs) rmSync(path, { force: true });
  }
}
