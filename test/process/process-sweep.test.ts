// A kill of a process group reaches that group alone, also when its id is another's by now.
import { afterEach, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  findMarked,
  groupLedBy,
  killTree,
  newMark,
  type ProcessGroup,
  sweepMarked,
} from "../../src/process/process-sweep.ts";

const LIMIT_MS = 60_000;
const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** A process at the head of its own group. */
function leader(command = "exec sleep 60") {
  const child = spawn("sh", ["-c", command], { detached: true, stdio: "ignore" });
  started.push(child);
  const group = groupLedBy(child.pid ?? 0);
  return { child, group, exited: once(child, "exit").then(() => undefined) };
}

/** What is known of a group that has died, whose id this one has got. */
function formerHolderOf({ id, beganTicks }: ProcessGroup): ProcessGroup {
  return { id, beganTicks: (beganTicks ?? 0) - 1 };
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

describe("a group whose id is another's by now", () => {
  test("counts as gone and is left alone by a kill", async () => {
    const { child, group } = leader();
    const former = formerHolderOf(group);
    const options = { mark: newMark("test"), exited: Promise.resolve(), limitMs: LIMIT_MS };
    expect(await killTree(former, options)).toBe(true);
    expect(
      await sweepMarked({ groups: [former], mark: newMark("test"), isWhole: true }, LIMIT_MS),
    ).toBe(true);
    expect(findMarked({ groups: [group], mark: newMark("test"), isWhole: true })).toEqual([
      group.id,
    ]);
    expect(isAlive(child)).toBe(true);
  });
});

describe("a group that is itself", () => {
  test("is killed with all that is in it", async () => {
    const { child, group, exited } = leader("sleep 60 & sleep 60");
    const options = { mark: newMark("test"), exited, limitMs: LIMIT_MS };
    expect(await killTree(group, options)).toBe(true);
    expect(isAlive(child)).toBe(false);
  });

  test("is killed also after its first process is gone", async () => {
    const { group, exited } = leader("sleep 60 & exit 0");
    await exited;
    const mark = { groups: [group], mark: newMark("test"), isWhole: true };
    expect(findMarked(mark)).toHaveLength(1);
    expect(await sweepMarked(mark, LIMIT_MS)).toBe(true);
    expect(findMarked(mark)).toEqual([]);
  });
});
