// Reads what the effect job wrote, and says which attempts of one task were at work at the same time.

import { readFileSync } from "node:fs";

export type Effect = { readonly taskId: number; readonly attempt: number };

type Line = Effect & { readonly kind: string; readonly atMs: number };

/** Every begin and end in the order of their writing. */
export function readEffects(file: string): Line[] {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => {
    const [kind = "", taskId, attempt, atMs] = line.split(" ");
    return { kind, taskId: Number(taskId), attempt: Number(attempt), atMs: Number(atMs) };
  });
}

/** When an executor was killed: between these it died, and nothing of it ran after. Epoch ms. */
export type Death = { readonly afterMs: number; readonly beforeMs: number };

/**
 * Begins of attempts while an earlier attempt of the same task was still at work. Only an executor that was killed may
 * leave an attempt without an end: begun before its death, and followed by the next attempt after it.
 */
export function overlaps(lines: readonly Line[], death: Death): Effect[] {
  const found: Effect[] = [];
  const open = new Map<number, Line>();
  for (const line of lines) {
    const earlier = open.get(line.taskId);
    if (line.kind === "end") {
      if (earlier?.attempt !== line.attempt) found.push(line);
      open.delete(line.taskId);
      continue;
    }
    const isExcused = earlier && earlier.atMs <= death.beforeMs && line.atMs >= death.afterMs;
    if (earlier !== undefined && !isExcused) found.push(line);
    open.set(line.taskId, line);
  }
  return found;
}
