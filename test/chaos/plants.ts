// Plants a bug: patches a copy of the sources, from which a session can be started.
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ENGINE_BUGS, type Plant } from "./planted-bugs.ts";
import { EDGE_BUGS } from "./planted-edge-bugs.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
export const PLANTS: Readonly<Record<string, Plant>> = { ...ENGINE_BUGS, ...EDGE_BUGS };

/** The patched files, by their paths. Throws when a patch does not fit any more. */
export function patchesOf(name: string): (readonly [file: string, text: string])[] {
  const plant = PLANTS[name];
  if (plant === undefined)
    throw new Error(`no plant "${name}"; there are ${Object.keys(PLANTS).join(", ")}`);
  const texts = new Map<string, string>();
  for (const { file, find, replace } of plant.patches) {
    const source = texts.get(file) ?? readFileSync(join(ROOT, file), "utf8");
    if (!source.includes(find)) throw new Error(`"${name}" does not fit ${file} any more`);
    texts.set(
      file,
      source.replace(find, () => replace),
    );
  }
  return [...texts];
}

/** A copy of the sources with the bug in it, in `folder`. */
export function plantIn(folder: string, name: string): string {
  for (const part of ["src", "package.json", "tsconfig.json", "bunfig.toml"]) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [file, text] of patchesOf(name)) writeFileSync(join(folder, file), text);
  return folder;
}
