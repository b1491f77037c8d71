// Finds the thread that burns in a tree of processes, and sees from outside whether it dies: by its processor time in /proc.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Linux counts processor time in these. */
const MS_PER_TICK = 10;
const LOOK_MS = 500;
const LOOKS_IN_ROW = 4;
/** A thread that spins gets at least this share of a core on a busy machine. */
const BUSY_SHARE = 0.3;
const POLL_MS = 5;

export interface Thread {
  readonly pid: number;
  readonly tid: number;
}

/**
 * The thread of `root` or of its descendants that used the most processor time between two looks, several times in a
 * row: a program that is only starting is busy, too.
 */
export async function findBusyThread(root: number, limitMs: number): Promise<Thread> {
  const deadlineMs = performance.now() + limitMs;
  let last: Thread | undefined;
  let inRow = 0;
  while (performance.now() < deadlineMs) {
    const busiest = await busiestBelow(root);
    inRow = busiest !== undefined && busiest.tid === last?.tid ? inRow + 1 : 1;
    last = busiest;
    if (busiest !== undefined && inRow === LOOKS_IN_ROW) return busiest;
  }
  throw new Error(`nothing below process ${root} spun within ${limitMs} ms`);
}

async function busiestBelow(root: number): Promise<Thread | undefined> {
  const before = new Map(threadsOf(root).map((thread) => [thread.tid, cpuMs(thread) ?? 0]));
  await delay(LOOK_MS);
  const used = threadsOf(root).map((thread) => ({
    thread,
    ms: (cpuMs(thread) ?? 0) - (before.get(thread.tid) ?? Number.POSITIVE_INFINITY),
  }));
  const busiest = used.toSorted((a, b) => b.ms - a.ms)[0];
  return busiest !== undefined && busiest.ms >= LOOK_MS * BUSY_SHARE ? busiest.thread : undefined;
}

export interface Fate {
  /** Ms until the thread was gone; null: it was still there at the end. */
  readonly diedAfterMs: number | null;
  /** Processor time it used while it was watched. */
  readonly burntMs: number;
}

/** Watches it until it is gone, at most `limitMs`. */
export async function watchDeath(thread: Thread, limitMs: number): Promise<Fate> {
  const startedMs = performance.now();
  const first = cpuMs(thread) ?? 0;
  let last = first;
  for (;;) {
    const now = cpuMs(thread);
    const passedMs = performance.now() - startedMs;
    if (now === null) return { diedAfterMs: passedMs, burntMs: last - first };
    last = now;
    if (passedMs > limitMs) return { diedAfterMs: null, burntMs: last - first };
    await delay(POLL_MS);
  }
}

function threadsOf(root: number): Thread[] {
  return treeOf(root).flatMap((pid) => numbersIn(`/proc/${pid}/task`).map((tid) => ({ pid, tid })));
}

/** `root` and all its descendants. */
function treeOf(root: number): number[] {
  const parents = new Map(numbersIn("/proc").map((pid) => [pid, parentOf(pid)]));
  const found = [root];
  for (const pid of found) {
    for (const [child, parent] of parents) if (parent === pid) found.push(child);
  }
  return found;
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger);
  } catch {
    // It ended in between.
    return [];
  }
}

function parentOf(pid: number): number {
  return Number(statOf(`/proc/${pid}/stat`)?.[1] ?? 0);
}

function cpuMs({ pid, tid }: Thread): number | null {
  const stat = statOf(`/proc/${pid}/task/${tid}/stat`);
  if (stat === null || stat[0] === "Z") return null;
  return (Number(stat[11]) + Number(stat[12])) * MS_PER_TICK;
}

/** The fields after the name, which may hold spaces; null when it is gone. */
function statOf(path: string): readonly string[] | null {
  try {
    const text = readFileSync(path, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}
