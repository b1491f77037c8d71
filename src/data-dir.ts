// Holds DATA_DIR for one process at a time, and keeps the embedded shape's key file in it.
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AppError, messageOf } from "./core/errors.ts";

/** The right to use a DATA_DIR alone. It ends with the process, however that dies. */
export interface DataDirHold {
  release(): void;
}

interface Holder {
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Tells two starts apart, also when the pid was reused. */
  readonly mark: string;
}

const HOLD_FILE = "holder.db";
const KEY_FILE = "secret.key";
const KEY_BYTES = 48;
const ROUNDS = 50;
const ROUND_MS = 10;

/**
 * Creates the folder where needed and holds it. Throws AppError `configuration` that names the holder when another
 * start has it.
 *
 * The hold is an SQLite transaction that stays open, not the row in it: the operating system ends it with the process,
 * so neither `kill -9` nor a reused pid leaves it behind. In WAL mode others can read the holder's row meanwhile.
 */
export function holdDataDir(path: string): DataDirHold {
  const database = openHoldFile(path);
  try {
    takeHold(database, path);
  } catch (error) {
    database.close();
    throw error;
  }
  return { release: () => database.close() };
}

/**
 * The embedded shape's secret key, made at the first call: never half written, readable by its owner only. Any process
 * may call it at any time; all get the same.
 */
export function readEmbeddedKey(path: string): string {
  const file = join(path, KEY_FILE);
  if (!existsSync(file)) createKeyFile(path, file);
  const key = readFileSync(file, "utf8").trim();
  if (key.length >= 32) return key;
  throw new AppError(
    "configuration",
    `${file} is damaged (shorter than 32 characters): restore it from a backup; without it the stored secrets are lost`,
  );
}

function openHoldFile(path: string): DatabaseSync {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return new DatabaseSync(join(path, HOLD_FILE), { timeout: 0 });
  } catch (error) {
    throw unusable(path, messageOf(error));
  }
}

// A row is readable once it is committed, and committing ends the transaction: so write the row, then begin again.
// A process that slipped in between wrote its own row; then write once more, until the row under the transaction is our own.
function takeHold(database: DatabaseSync, path: string): void {
  const self = thisProcess();
  let seen: Holder | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const found = unlessBusy(path, () => tryToHold(database, self));
    if (found === "held") return;
    if (found === "written") continue;
    // Seen twice, it is no row left by a dead process that the new holder is about to overwrite.
    const isOther = found !== undefined && found.mark !== self.mark;
    if (isOther && found.mark === seen?.mark) throw heldBy(path, found);
    seen = found;
    pause(ROUND_MS);
  }
  throw unusable(path, "several starts are after it at the same time");
}

/** One round; returns the holder when another process has it. */
function tryToHold(database: DatabaseSync, self: Holder): "held" | "written" | Holder | undefined {
  database.exec("PRAGMA journal_mode = WAL");
  if (!begin(database)) return readHolder(database);
  if (readHolder(database)?.mark === self.mark) return "held";
  writeHolder(database, self);
  return "written";
}

/** Any statement may meet another start that is just creating or leaving the file. */
function unlessBusy<T>(path: string, act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (isBusy(error)) return undefined;
    throw unusable(path, messageOf(error));
  }
}

function thisProcess(): Holder {
  const startedAt = new Date(Date.now() - process.uptime() * 1_000).toISOString();
  return { pid: process.pid, startedAt, mark: randomBytes(16).toString("hex") };
}

/** False when another process holds the file. */
function begin(database: DatabaseSync): boolean {
  try {
    database.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  // Deno gives no errcode, so the text has to do.
  return /locked|busy/i.test(messageOf(error));
}

function writeHolder(database: DatabaseSync, holder: Holder): void {
  database.exec("CREATE TABLE IF NOT EXISTS holder (pid INTEGER, started_at TEXT, mark TEXT)");
  database.exec("DELETE FROM holder");
  const insert = database.prepare("INSERT INTO holder (pid, started_at, mark) VALUES (?, ?, ?)");
  insert.run(holder.pid, holder.startedAt, holder.mark);
  database.exec("COMMIT");
}

function readHolder(database: DatabaseSync): Holder | undefined {
  const hasTable = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'holder'").get();
  if (hasTable === undefined) return undefined;
  const row = database.prepare("SELECT pid, started_at, mark FROM holder").get();
  if (row === undefined) return undefined;
  return {
    pid: Number(row["pid"]),
    startedAt: String(row["started_at"]),
    mark: String(row["mark"]),
  };
}

function heldBy(path: string, { pid, startedAt }: Holder): AppError {
  return new AppError(
    "configuration",
    `DATA_DIR ${path} is in use by process ${pid}, started ${startedAt}: stop that one, or set another DATA_DIR`,
  );
}

function unusable(path: string, why: string): AppError {
  return new AppError("configuration", `DATA_DIR ${path} cannot be used: ${why}`);
}

/** Synchronous on purpose: nothing else happens before the hold is decided. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

// A hard link puts the finished file in place and fails when another one is there: no half file, no second key.
function createKeyFile(path: string, file: string): void {
  const draft = join(path, `${KEY_FILE}.${process.pid}.${randomBytes(6).toString("hex")}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  writeDraft(draft);
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!existsSync(file)) throw unusable(path, messageOf(error));
  } finally {
    rmSync(draft, { force: true });
  }
}

function writeDraft(draft: string): void {
  const descriptor = openSync(draft, "wx", 0o600);
  try {
    writeSync(descriptor, `${randomBytes(KEY_BYTES).toString("base64")}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
