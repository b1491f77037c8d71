// Finds and kills all that belongs to a job process: its group, its descendants, and what carries its mark elsewhere.
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { delay } from "../core/within.ts";

/** In the environment of a job process and of everything its job starts; its value names the process. */
export const MARK_NAME = "SERENDIPITY_JOB_PROCESS";

export function newOwner(): string {
  return randomBytes(6).toString("hex");
}

/** The mark of one job worker of this owner. */
export function newMark(owner: string): string {
  return `${owner}/${randomBytes(6).toString("hex")}`;
}

/** What to look for. */
export interface ProcessMark {
  /** Ids of process groups. */
  readonly groups: readonly number[];
  /** The mark's value, or the beginning of many. */
  readonly mark: string;
  /** Only this very mark, not what begins with it. */
  readonly isWhole: boolean;
}

const SWEEP_INTERVAL_MS = 5;

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/**
 * Ids of the living processes of a mark; a zombie is dead. Where the system has no /proc only the groups can be asked.
 */
export function findMarked(mark: ProcessMark, except: readonly number[] = []): number[] {
  const rows = readProcesses();
  if (rows === null) return mark.groups.filter((group) => signal(-group, 0));
  const found = new Set<number>();
  for (const row of rows) if (isMarked(row, mark)) found.add(row.pid);
  addDescendants(found, rows);
  return [...found].filter((pid) => !except.includes(pid));
}

/** Kills them until none is left; true when that is proven within `limitMs`. */
export async function sweepMarked(mark: ProcessMark, limitMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    for (const group of mark.groups) signal(-group, "SIGKILL");
    const left = findMarked(mark);
    if (left.length === 0) return true;
    for (const pid of left) signal(pid, "SIGKILL");
    if (performance.now() > deadlineMs) return false;
    await delay(SWEEP_INTERVAL_MS);
  }
}

/**
 * The same for what a thread of this process started: nothing is searched where nothing was started. Finds no child that
 * was given an environment of its own, nor one that left this process's children before.
 */
export async function sweepChildren(mark: string, limitMs: number): Promise<boolean> {
  const isOurs = (pid: number) => readMark(pid).includes(markText(mark, true));
  if (!childIds().some(isOurs)) return true;
  return sweepMarked({ groups: [], mark, isWhole: true }, limitMs);
}

/** False when there was nothing to send it to. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** True when this process started others that still live. */
export function hasChildren(): boolean {
  return (readProcesses() ?? []).some(({ parent }) => parent === process.pid);
}

/** What was started by something marked belongs to it, also with an environment of its own. */
function addDescendants(found: Set<number>, rows: readonly ProcessRow[]): void {
  for (let known = -1; known !== found.size; ) {
    known = found.size;
    for (const { pid, parent } of rows) if (found.has(parent)) found.add(pid);
  }
}

function isMarked({ pid, group }: ProcessRow, { groups, mark, isWhole }: ProcessMark): boolean {
  if (groups.includes(group)) return true;
  return readMark(pid).includes(markText(mark, isWhole));
}

function markText(mark: string, isWhole: boolean): string {
  return `\0${MARK_NAME}=${mark}${isWhole ? "\0" : ""}`;
}

function readMark(pid: number): string {
  return `\0${read(`/proc/${pid}/environ`) ?? ""}\0`;
}

/** Of this process, whichever of its threads started them. */
function childIds(): number[] {
  try {
    const threads = readdirSync("/proc/self/task");
    const lists = threads.map((id) => read(`/proc/self/task/${id}/children`) ?? "");
    return lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
  } catch {
    return [];
  }
}

/** Null where there is no /proc. */
function readProcesses(): ProcessRow[] | null {
  try {
    return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? readRow(name) : []));
  } catch {
    return null;
  }
}

/** `pid (name) state parent group …`; the name may hold anything. */
function readRow(pid: string): ProcessRow[] {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return [];
  const [state = "X", parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isDead = state === "Z" || state === "X";
  return isDead ? [] : [{ pid: Number(pid), parent: Number(parent), group: Number(group) }];
}

/** Null for what ended meanwhile or belongs to somebody else. */
function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}
