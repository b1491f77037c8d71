// Finds the job files of a JOBS_DIR and reads what identifies them, without running any of their code.
import { createHash } from "node:crypto";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError, messageOf } from "../core/errors.ts";

/** Files directly in the folder; dotfiles, type declarations and tests are none. */
const JOB_FILE = /^(?!\.)(?!.*\.d\.[mc]?ts$)(?!.*\.test\.\w+$).+\.(?:ts|tsx|js|mjs|mts)$/;

/** The real path of JOBS_DIR, as stacks show it. Throws AppError `configuration` when it is no folder. */
export async function openJobsDir(jobsDir: string): Promise<string> {
  const path = await realpath(jobsDir).catch((cause: unknown) => {
    throw unusable(jobsDir, `cannot be read: ${messageOf(cause)}`);
  });
  const stats = await stat(path);
  if (!stats.isDirectory()) throw unusable(jobsDir, "is not a folder");
  return path;
}

/** Whether a path directly in a JOBS_DIR is that of a job file, by its name. */
export function isJobFileName(name: string): boolean {
  return JOB_FILE.test(name);
}

function unusable(jobsDir: string, why: string): AppError {
  return new AppError("configuration", `JOBS_DIR ${jobsDir} ${why}`);
}

/** Absolute paths in the order of their names. A link to a file counts as a file. */
export async function listJobFiles(jobsDir: string): Promise<string[]> {
  const names = (await readdir(jobsDir)).filter(isJobFileName).sort();
  const paths = names.map((name) => join(jobsDir, name));
  const areFiles = await Promise.all(paths.map(isFile));
  return paths.filter((_, index) => areFiles[index]);
}

async function isFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => null);
  return stats?.isFile() ?? false;
}

/** Lowercase hex SHA-256 of the file. */
export async function sourceHash(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}
