// Checks another commit out beside this work tree, with dependencies of its own, so that both can be measured in turn.
import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { emptyFolder } from "./scratch.ts";

const HERE = fileURLToPath(new URL("..", import.meta.url));

export interface Tree {
  readonly name: string;
  readonly root: string;
  /** Job files that this tree's program loads: the same in every tree. */
  readonly jobsDir: string;
}

/** This work tree as it is, changes included. */
export async function thisTree(): Promise<Tree> {
  return { name: "here", root: HERE, jobsDir: await jobsFolder() };
}

/** Call `forget` when it is not needed any more. */
export async function treeOf(commit: string): Promise<Tree & { readonly forget: () => void }> {
  const root = join(await emptyFolder(), "tree");
  run("git", ["-C", HERE, "worktree", "add", "--detach", "--quiet", root, commit]);
  const forget = () => run("git", ["-C", HERE, "worktree", "remove", "--force", root]);
  try {
    run(process.execPath, ["install", "--frozen-lockfile"], root);
  } catch (error) {
    forget();
    throw error;
  }
  return { name: commit, root, jobsDir: await jobsFolder(), forget };
}

async function jobsFolder(): Promise<string> {
  const folder = await emptyFolder();
  cpSync(join(HERE, "bench", "jobs", "noop.ts"), join(folder, "noop.ts"));
  return folder;
}

function run(program: string, args: readonly string[], cwd = HERE): void {
  const { status, stderr, error } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (status === 0) return;
  throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr}`);
}
