// Finds and kills all that belongs to a job process: its group, its descendants, and what carries its mark elsewhere.
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { delay, within } from "../core/within.ts";

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
  readonly groups: readonly ProcessGroup[];
  /** The mark's value, or the beginning of many. */
  readonly mark: string;
  /** Only this very mark, not what begins with it. */
  readonly isWhole: boolean;
  /** What is known to belong to it besides; looked for until it is gone. */
  readonly known?: readonly ProcessIdentity[];
  /** Nothing that carries the mark began earlier: ticks since the system's start. Spares reading every environment. */
  readonly sinceTicks?: number;
}

/** Ids are used again; together with when it began one means a single process. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks since the system's start. */
  readonly beganTicks: number;
}

/** A process group as it was started; its id is that of its first process. */
export interface ProcessGroup {
  readonly id: number;
  /** When its first process began, as in `ProcessIdentity`; null where there is no /proc. */
  readonly beganTicks: number | null;
}

const SWEEP_INTERVAL_MS = 5;

interface ProcessRow extends ProcessIdentity {
  readonly parent: number;
  readonly group: number;
}

/**
 * Ids of the living processes of a mark; a zombie is dead. Where the system has no /proc only the groups can be asked.
 */
export function findMarked(mark: ProcessMark, except: readonly number[] = []): number[] {
  const rows = readProcesses();
  const groups = mark.groups.filter(isStillItself).map(({ id }) => id);
  if (rows === null) return groups.filter((group) => signal(-group, 0));
  const found = new Set<number>();
  for (const row of rows) {
    if (groups.includes(row.group) || isMarked(row, mark)) found.add(row.pid);
  }
  addDescendants(found, rows);
  return [...found].filter((pid) => !except.includes(pid));
}

/** Kills them until none is left; true when that is proven within `limitMs`. */
export async function sweepMarked(mark: ProcessMark, limitMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    for (const group of mark.groups) killGroup(group);
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
  if (!childIds("self").some(isOurs)) return true;
  return sweepMarked({ groups: [], mark, isWhole: true }, limitMs);
}

/**
 * Kills a process at the head of its group with all that belongs to it. What it started is noted before, because the
 * death of a parent hides whose child a process was; one search after its end proves that nothing is left.
 */
export async function killTree(group: ProcessGroup, options: KillTreeOptions): Promise<boolean> {
  const { mark, exited, limitMs } = options;
  const known = isStillItself(group) ? descendantsOf(group.id) : [];
  killGroup(group);
  for (const descendant of known) signal(descendant.pid, "SIGKILL");
  const isGone = await within(
    exited.then(() => true),
    limitMs,
  );
  const since = group.beganTicks === null ? {} : { sinceTicks: group.beganTicks };
  const isSwept = await sweepMarked(
    { groups: [group], mark, isWhole: true, known, ...since },
    limitMs,
  );
  return isGone === true && isSwept;
}

export interface KillTreeOptions {
  readonly mark: string;
  /** Settles when its owner has heard of its end. */
  readonly exited: Promise<void>;
  readonly limitMs: number;
}

/** Noted at its start: later its id may be another's. */
export function groupLedBy(pid: number): ProcessGroup {
  return { id: pid, beganTicks: beganTicksOf(pid) };
}

/**
 * Kills all that is in it, unless its id has become another's: that happens only after its last process is gone, because
 * the system gives out no id that is still a group's.
 */
export function killGroup(group: ProcessGroup): void {
  if (isStillItself(group)) signal(-group.id, "SIGKILL");
}

/** True also when its first process is gone: then the rest of it holds the id, or nobody does. */
function isStillItself({ id, beganTicks }: ProcessGroup): boolean {
  const nowTicks = beganTicks === null ? null : beganTicksOf(id);
  return nowTicks === null || nowTicks === beganTicks;
}

/** Of a zombie too; null when there is no such process. */
function beganTicksOf(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`);
  return stat === null ? null : Number(statFields(stat)[19]);
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
  return childIds("self").some((pid) => readRow(String(pid)).length > 0);
}

/** What was started by something marked belongs to it, also with an environment of its own. */
function addDescendants(found: Set<number>, rows: readonly ProcessRow[]): void {
  for (let known = -1; known !== found.size; ) {
    known = found.size;
    for (const { pid, parent } of rows) if (found.has(parent)) found.add(pid);
  }
}

function isMarked({ pid, beganTicks }: ProcessRow, mark: ProcessMark): boolean {
  const { known = [], sinceTicks = 0 } = mark;
  if (known.some((one) => one.pid === pid && one.beganTicks === beganTicks)) return true;
  return beganTicks >= sinceTicks && readMark(pid).includes(markText(mark.mark, mark.isWhole));
}

function markText(mark: string, isWhole: boolean): string {
  return `\0${MARK_NAME}=${mark}${isWhole ? "\0" : ""}`;
}

function readMark(pid: number): string {
  return `\0${read(`/proc/${pid}/environ`) ?? ""}\0`;
}

/** All that a process started and what that started, as long as their parents live. */
function descendantsOf(pid: number): ProcessIdentity[] {
  const children = childIds(pid).flatMap((id) => readRow(String(id)));
  return children.flatMap((child) => [child, ...descendantsOf(child.pid)]);
}

/** Of a process, whichever of its threads started them. */
function childIds(pid: number | "self"): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const lists = threads.map((id) => read(`/proc/${pid}/task/${id}/children`) ?? "");
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

/** `pid (name) state parent group …`; the name may hold anything. When it began is the 20th after the name. */
function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function readRow(pid: string): ProcessRow[] {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return [];
  const fields = statFields(stat);
  const [state = "X", parent, group] = fields;
  if (state === "Z" || state === "X") return [];
  const beganTicks = Number(fields[19]);
  return [{ pid: Number(pid), parent: Number(parent), group: Number(group), beganTicks }];
}

/** Null for what ended meanwhile or belongs to somebody else. */
function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}
