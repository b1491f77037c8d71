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
import type { PreparedSource, SourceSupply, TraceMode } from "../job/wire/prepared-source.ts";
import { hashOf } from "./excerpts.ts";
import { type LocationTable, MAX_FILES } from "./locations.ts";
import type { instrument } from "./rewrite/instrument.ts";
import type { InstrumentOptions } from "./rewrite/rewrite.ts";

export interface LiveSources extends SourceSupply {
  /** Of the last source that was prepared of this file. */
  tableOf(path: string, mode: TraceMode): LocationTable | undefined;
  /** For `readLive`. */
  findTable(fileNumber: number): LocationTable | undefined;
}

/** Changes whenever the instrumenter gives another result for the same source. */
const INSTRUMENTER_VERSION = 5;

type Instrument = typeof instrument;

/** Bun takes any text under any name; Deno goes by the name, and by a package.json beside it if that leaves a choice. */
const COPY_EXTENSIONS: Readonly<Record<string, string>> = { ".ts": ".mts", ".js": ".mjs" };

const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

/** Makes `cacheDir`, and removes copies nobody made for a month. */
export function openLiveSources(cacheDir: string): LiveSources {
  mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
  removeOld(cacheDir, Date.now() - KEPT_DAYS * DAY_MS);
  return createLiveSources(cacheDir);
}

/** The parser is native: where its binding is missing, jobs run without live lines. */
async function loadInstrument(): Promise<Instrument> {
  try {
    return (await import("./rewrite/instrument.ts")).instrument;
  } catch (thrown) {
    const note = `the parser cannot be loaded: ${String(thrown).split("\n", 1)[0]}`;
    return (code, { path, fileNumber }) => ({
      code,
      locations: { path, fileNumber, entries: [], shifts: [] },
      note,
    });
  }
}

/** In a folder that is there. The parser is loaded for the first source that has no copy yet. */
export function createLiveSources(cacheDir: string): LiveSources {
  let instrumenting: Promise<Instrument> | null = null;
  const tables = new Map<number, LocationTable>();
  const numbers = new Map<string, number>();
  const taken = new Set<number>();
  const newest = new Map<string, number>();
  const prepared = new Map<string, PreparedSource>();

  /** The same for the same source as long as no other one has it, so that copies outlive the process. */
  const numberOf = (identity: string): number => {
    const known = numbers.get(identity);
    if (known !== undefined) return known;
    let number = (Number.parseInt(identity.slice(0, 12), 16) % MAX_FILES) + 1;
    while (taken.has(number)) number = (number % MAX_FILES) + 1;
    numbers.set(identity, number);
    taken.add(number);
    return number;
  };

  const makeCopy = async (source: string, options: InstrumentOptions, copy: string) => {
    instrumenting ??= loadInstrument();
    const make = await instrumenting;
    const { code, locations, note, isCommonJs = false } = make(source, options);
    tables.set(options.fileNumber, locations);
    if (note !== undefined) return { kind: "plain", note, isCommonJs } as const;
    writeWhole(`${copy}.json`, JSON.stringify(locations));
    writeWhole(copy, code);
    return { kind: "rewritten", copy } as const;
  };

  const readCopy = (copy: string, fileNumber: number): PreparedSource | undefined => {
    const table = readTable(`${copy}.json`);
    if (table === undefined || !isFile(copy)) return;
    tables.set(fileNumber, table);
    return { kind: "rewritten", copy };
  };

  return {
    async prepare(path, mode) {
      if (taken.size >= MAX_FILES) return plain("too many sources since the process began");
      const bytes = readFileSync(path);
      const source = bytes.toString("utf8");
      const identity = hash([INSTRUMENTER_VERSION, mode, path, source]);
      const fileNumber = numberOf(identity);
      newest.set(`${mode} ${path}`, fileNumber);
      const known = prepared.get(identity);
      if (known !== undefined) return known;
      const extension = extname(path);
      const name = `${hash([identity, fileNumber])}${COPY_EXTENSIONS[extension] ?? extension}`;
      const copy = join(cacheDir, name);
      const options = { path, fileNumber, mode };
      const made = readCopy(copy, fileNumber) ?? (await makeCopy(source, options, copy));
      const result = { ...made, hash: hashOf(bytes) };
      prepared.set(identity, result);
      return result;
    },
    tableOf: (path, mode) => tables.get(newest.get(`${mode} ${path}`) ?? 0),
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
