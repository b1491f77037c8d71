// Finds the server programs the tests start: in the project's own cache, on the PATH, or where distributions hide daemons.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT_BIN = fileURLToPath(new URL("../../.cache/bin", import.meta.url));
const DAEMON_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"];

/** The path of the first of `names` that exists and may be executed, or undefined. */
export function findBinary(...names: readonly string[]): string | undefined {
  const folders = [PROJECT_BIN, ...(process.env["PATH"] ?? "").split(delimiter), ...DAEMON_FOLDERS];
  return names
    .flatMap((name) => folders.filter(Boolean).map((folder) => join(folder, name)))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
