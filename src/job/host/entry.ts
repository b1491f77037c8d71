// What job workers start from: their sources, or one file each made of them, which is much faster to load.
import { createHash } from "node:crypto";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { type Bundle, bundleName } from "../wire/bundle.ts";

const SOURCE = fileURLToPath(new URL("../inside/job-worker.ts", import.meta.url));
const PROCESS_SOURCE = fileURLToPath(new URL("./job-process-main.ts", import.meta.url));

/**
 * Makes the file in `folder`, once per executor. Null where there is no folder or no bundler, or it could not be made:
 * never rejects, because all it does is to save time.
 */
export function openEntry(folder: string | null, logger: Logger): Promise<string | null> {
  return openBundle(SOURCE, folder, logger);
}

/** The same for the main thread of a job process. */
export function openProcessEntry(folder: string | null, logger: Logger): Promise<string | null> {
  return openBundle(PROCESS_SOURCE, folder, logger);
}

async function openBundle(
  source: string,
  folder: string | null,
  logger: Logger,
): Promise<string | null> {
  if (folder === null) return null;
  try {
    const bundle = await bundleOf(source);
    return bundle === null ? null : writeEntry(join(folder, basename(source, ".ts")), bundle);
  } catch (thrown) {
    logger.warn(
      { error: messageOf(thrown) },
      "job workers start slowly: their code is not in one file",
    );
    return null;
  }
}

/** Null where the runtime has no bundler: files are imported one by one then. */
async function bundleOf(source: string): Promise<Bundle | null> {
  if (process.versions["bun"] === undefined) return null;
  return (await import("./bundler-bun.ts")).bundle(source);
}

/** Named after all that is in it: another executor, of another version too, may be using the same folder. */
function writeEntry(stem: string, { code, bytecode }: Bundle): string {
  const digest = createHash("sha256")
    .update(code)
    .update(bytecode ?? "")
    .digest("hex");
  const path = bundleName(stem, digest);
  if (bytecode !== null) writeWhole(`${path}.jsc`, bytecode);
  writeWhole(path, code);
  return path;
}

/** Another process may be making the same one. */
function writeWhole(path: string, content: string | Uint8Array): void {
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, content, { mode: 0o600 });
  renameSync(draft, path);
}

/** Old files of the cache are removed, also under an executor that has run for long. */
export function entryToStart(bundle: string | null): string {
  return existing(bundle) ?? SOURCE;
}

/** For the main thread of a job process. */
export function processEntryToStart(bundle: string | null): string {
  return existing(bundle) ?? PROCESS_SOURCE;
}

function existing(path: string | null): string | null {
  return path !== null && existsSync(path) ? path : null;
}
