// Makes one file of a module of ours and all it imports; only Bun has a bundler at run time.
import { dirname, join } from "node:path";
import { type BunPlugin, build } from "bun";
import type { Bundle } from "../wire/bundle.ts";

/**
 * Without it each new job worker resolves, reads and transpiles 330 files, most of them TypeBox's; without bytecode it
 * parses them. That is to be had only with CommonJS.
 */
export async function bundle(path: string): Promise<Bundle | null> {
  const { outputs } = await build({
    entrypoints: [path],
    target: "bun",
    // The other runtime's; it cannot be loaded here.
    external: ["*/loader-hooks.ts"],
    plugins: [parserOutside],
    // Names stay: jobs see those of our classes.
    minify: { whitespace: true, syntax: true, identifiers: false },
    format: "cjs",
    bytecode: true,
    throw: false,
  });
  const code = await outputs.find(({ kind }) => kind === "entry-point")?.text();
  const bytecode = await outputs.find(({ kind }) => kind === "bytecode")?.arrayBuffer();
  return code === undefined
    ? null
    : { code, bytecode: bytecode === undefined ? null : new Uint8Array(bytecode) };
}

/** The parser is native, is found from where our sources are, and is loaded only for what has no copy yet. */
const parserOutside: BunPlugin = {
  name: "parser-outside",
  setup(setup) {
    setup.onResolve({ filter: /\/instrument\.ts$/ }, ({ path, importer }) => ({
      path: join(dirname(importer), path),
      external: true,
    }));
  },
};
