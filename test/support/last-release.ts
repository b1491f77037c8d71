// The release before this one, taken out of the project's history, to run beside today's program.
import { execFile } from "node:child_process";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeServerFolder } from "./private-server.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** To be moved on when a release is made: `lastMigration` is the newest one its program knows. */
export const LAST_RELEASE = {
  commit: "42512ba7595da9a5573aa891f3067822e6a05045",
  lastMigration: 6,
} as const;

/** Where a release lies: what its programs are started from. */
export interface Release {
  readonly main: string;
  readonly jobsDir: string;
}

export const THIS_RELEASE: Release = releaseAt(ROOT);

type Dependencies = Readonly<Record<string, string>>;

const run = promisify(execFile);

/** Unpacks it into a temporary folder. Throws with the way out when the history does not reach so far. */
export async function unpackLastRelease(): Promise<Release & { readonly folder: string }> {
  const { commit } = LAST_RELEASE;
  await run("git", ["-C", ROOT, "cat-file", "-e", `${commit}^{commit}`]).catch((cause: unknown) => {
    const message = `the last release, ${commit}, is not in this clone: run \`git fetch --unshallow\``;
    throw new Error(message, { cause });
  });
  const folder = await makeServerFolder("last-release");
  const archive = join(folder, "release.tar");
  await run("git", ["-C", ROOT, "archive", `--output=${archive}`, commit]);
  await run("tar", ["-xf", archive, "-C", folder]);
  await giveDependencies(folder);
  return { ...releaseAt(folder), folder };
}

function releaseAt(root: string): Release {
  return { main: join(root, "src/main.ts"), jobsDir: join(root, "test/jobs") };
}

/** Ours where they are the same versions; else its own, from its lockfile. */
async function giveDependencies(folder: string): Promise<void> {
  const [own, ours] = await Promise.all([dependenciesOf(folder), dependenciesOf(ROOT)]);
  const isCovered = Object.entries(own).every(([name, version]) => ours[name] === version);
  if (isCovered) return symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  await run(process.execPath, ["install", "--frozen-lockfile", "--production"], { cwd: folder });
}

async function dependenciesOf(root: string): Promise<Dependencies> {
  const text = await Bun.file(join(root, "package.json")).text();
  return (JSON.parse(text) as { readonly dependencies: Dependencies }).dependencies;
}
