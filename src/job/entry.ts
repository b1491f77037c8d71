// What a job worker starts from: its sources, or one file made of them, which is much faster to load.
import { createHash } from "node:crypto";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { type Bundle, bundleName } from "./bundle.ts";
import { openLoader } from "./loader.ts";

const SOURCE = fileURLToPath(new URL("./job-worker.ts", import.meta.url));

/**
 * Makes the file in `folder`, once per executor. Null where there is no folder or no bundler, or it could not be made:
 * never rejects, because all it does is to save time.
 */
export async function openEntry(folder: string | null, logger: Logger): Promise<string | null> {
  if (folder === null) return null;
  try {
    const bundle = await (await openLoader()).bundle(SOURCE);
    return bundle === null ? null : writeEntry(folder, bundle);
  } catch (thrown) {
    logger.warn(
      { error: messageOf(thrown) },
      "job workers start slowly: their code is not in one file",
    );
    return null;
  }
}

/** Named after all that is in it: another executor, of another version too, may be using the same folder. */
function writeEntry(folder: string, { code, bytecode }: Bundle): string {
  const digest = createHash("sha256")
    .update(code)
    .update(bytecode ?? "")
    .digest("hex");
  const path = join(folder, bundleName(digest));
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
  return bundle !== null && existsSync(bundle) ? bundle : SOURCE;
}
