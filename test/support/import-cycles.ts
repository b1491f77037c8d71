// Finds groups of files that import each other in a circle, type imports included.
import { importsOf, type SourceFile } from "./source-files.ts";

/** Each cycle once, as the sorted paths of the files that can all reach each other. */
export function importCycles(files: readonly SourceFile[]): string[][] {
  const edges = new Map(files.map((file) => [file.path, importsOf(file).map((it) => it.target)]));
  const reach = new Map([...edges.keys()].map((path) => [path, reachableFrom(path, edges)]));
  const cycles = new Map<string, string[]>();
  for (const [path, targets] of reach) {
    if (!targets.has(path)) continue;
    const members = [...targets].filter((target) => reach.get(target)?.has(path) === true).sort();
    cycles.set(members.join(), members);
  }
  return [...cycles.values()];
}

function reachableFrom(start: string, edges: ReadonlyMap<string, readonly string[]>): Set<string> {
  const seen = new Set<string>();
  const open = [...(edges.get(start) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(edges.get(next) ?? []));
  }
  return seen;
}
