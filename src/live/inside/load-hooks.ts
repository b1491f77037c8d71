// What the loaders of a job worker do with the modules of JOBS_DIR: the runtime's own resolution, our text.
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { createRequire, type LoadFnOutput, type LoadHookContext } from "node:module";
import { extname, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { AskSource } from "../../job/wire/source-link.ts";

type BunLoader = "js" | "jsx" | "ts" | "tsx";

/** For `onLoad` of a plugin on Bun. */
export interface BunHook {
  readonly filter: RegExp;
  load(args: { readonly path: string }): { readonly contents: string; readonly loader: BunLoader };
}

/** For `registerHooks` on Deno. */
export type LoadHook = (
  url: string,
  context: LoadHookContext,
  next: (url: string, context?: Partial<LoadHookContext>) => LoadFnOutput,
) => LoadFnOutput;

const EXTENSIONS = ["ts", "tsx", "mts", "js", "jsx", "mjs"];
const PACKAGES = `${sep}node_modules${sep}`;

const BUN_LOADERS: Readonly<Record<string, BunLoader>> = {
  ".js": "jsx",
  ".mjs": "jsx",
  ".jsx": "jsx",
  ".tsx": "tsx",
};

/** `jobsDir` is the real path. Files of packages are not asked about, nor are .cjs and .cts. */
export function createBunHook(jobsDir: string, ask: AskSource): BunHook {
  const folder = RegExp.escape(`${jobsDir}${sep}`);
  const packages = RegExp.escape(PACKAGES.slice(1));
  return {
    filter: new RegExp(
      `^${folder}(?!(?:[^?]*[\\\\/])?${packages})[^?]*\\.(?:${EXTENSIONS.join("|")})$`,
    ),
    load({ path }) {
      const source = ask(path);
      const loader = BUN_LOADERS[extname(path)] ?? "ts";
      if (source.kind === "rewritten")
        return { contents: readFileSync(source.copy, "utf8"), loader };
      if (source.isCommonJs) return { contents: asModule(path), loader: "js" };
      return { contents: readFileSync(path, "utf8"), loader };
    },
  };
}

/** Bun takes what a hook returns for an ES module: this one loads the file again, past the hook, as what it is. */
function asModule(path: string): string {
  const file = JSON.stringify(`${path}?commonjs`);
  return `import it from ${file}; export * from ${file}; export default it; export { it as "module.exports" };`;
}

/** TypeScript and JSX are turned into JavaScript by the runtime itself, from the copy. */
export function createLoadHook(jobsDir: string, ask: AskSource): LoadHook {
  const folder = pathToFileURL(`${jobsDir}${sep}`).href;
  const required = new Set<string>();
  const pathOf = (url: string): string | null => {
    const path = url.startsWith(folder) ? fileURLToPath(url) : "";
    const isOurs = EXTENSIONS.includes(extname(path).slice(1)) && !path.includes(PACKAGES);
    return isOurs && !required.has(path) ? path : null;
  };
  return (url, context, next) => {
    const path = pathOf(url);
    const isCode = Object.keys(context.importAttributes ?? {}).length === 0;
    if (path === null || !isCode) return next(url, context);
    const source = ask(path);
    if (source.kind === "rewritten")
      return loadCopy(url, source.copy, (copy) => next(copy, context));
    if (!source.isCommonJs) return next(url, context);
    required.add(path);
    return { format: "module", source: asRequired(path), shortCircuit: true };
  };
}

function loadCopy(url: string, copy: string, next: (url: string) => LoadFnOutput): LoadFnOutput {
  if (/\.m?js$/.test(copy)) {
    return { format: "module", source: readFileSync(copy, "utf8"), shortCircuit: true };
  }
  const loaded = next(pathToFileURL(copy).href);
  return { ...loaded, format: "module", source: asFrom(url, loaded.source), shortCircuit: true };
}

/** Without a package.json that says otherwise Deno takes it for an ES module; what it exports shows only when it runs. */
function asRequired(path: string): string {
  const exported: unknown = createRequire(path)(path);
  const isMany = typeof exported === "object" || typeof exported === "function";
  const names = isMany && exported !== null ? Object.keys(exported) : [];
  return [
    'import { createRequire } from "node:module";',
    `const file = ${JSON.stringify(path)}, it = createRequire(file)(file);`,
    'export default it; export { it as "module.exports" };',
    ...names.filter((name) => name !== "default").map(exportOf),
  ].join(" ");
}

function exportOf(name: string, at: number): string {
  const key = JSON.stringify(name);
  return `const n${at} = it[${key}]; export { n${at} as ${key} };`;
}

const SOURCE_MAP = /\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;

/** Names the original as the source of the JavaScript, so that stacks do. */
function asFrom(url: string, source: LoadFnOutput["source"]): string {
  const text =
    typeof source === "string" ? source : Buffer.from((source ?? "") as Uint8Array).toString();
  const found = SOURCE_MAP.exec(text);
  if (found === null) return text;
  const map = JSON.parse(Buffer.from(found[1] ?? "", "base64").toString()) as Record<
    string,
    unknown
  >;
  const { sourcesContent: _, ...rest } = map;
  const renamed = Buffer.from(JSON.stringify({ ...rest, sources: [url] })).toString("base64");
  return `${text.slice(0, found.index)}//# sourceMappingURL=data:application/json;base64,${renamed}\n`;
}
