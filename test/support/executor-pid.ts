// Finds the process of an executor, as the embedded database knows it.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Program } from "./program.ts";

/** The process id of an executor of this program. */
export function executorPid({ folder }: Program, serviceId: string): number {
  const database = new DatabaseSync(join(folder, "data", "serendipity.db"), { readOnly: true });
  try {
    const found = database
      .prepare("select pid from executors where service_id = ?")
      .get(serviceId) as { readonly pid: number } | undefined;
    if (found === undefined) throw new Error(`no executor is called ${serviceId}`);
    return found.pid;
  } finally {
    database.close();
  }
}
