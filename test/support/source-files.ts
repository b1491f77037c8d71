// Reads and parses the project's own source files for the checks that look at code as data.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type ParseResult, parseSync, Visitor } from "oxc-parser";

/** Absolute path of the project's root folder. */
export const projectRoot = fileURLToPath(new URL("../../", import.meta.url));

/** One parsed file; `path` is relative to the project's root. */
export type SourceFile = {
  readonly path: string;
  readonly text: string;
  readonly parsed: ParseResult;
};

/** One import or re-export as written in a file. */
export type ImportOf = {
  /** The specifier, or for a relative one the path of its target relative to the project's root. */
  readonly target: string;
  readonly line: number;
  /** True when nothing of it is left at run time; `import { type X }` leaves the import itself. */
  readonly isTypeOnly: boolean;
};

/** Parses every script under a folder of the project; a syntax error throws. */
export function readSourceFiles(folder: string): SourceFile[] {
  const names = readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(".ts") || name.endsWith(".js"))
    .sort()
    .map((name) => readSourceFile(join(folder, name)));
}

function readSourceFile(path: string): SourceFile {
  return parseSource(path, readFileSync(join(projectRoot, path), "utf8"));
}

/** Parses one text as if it were the file at `path`. */
export function parseSource(path: string, text: string): SourceFile {
  const parsed = parseSync(path, text);
  const [problem] = parsed.errors;
  if (problem !== undefined) {
    throw new Error(`${path}: ${problem.message}`);
  }
  return { path, text, parsed };
}

/** Every static and dynamic import, re-export and `import("x").T` type of a file. */
export function importsOf(file: SourceFile): ImportOf[] {
  const found: ImportOf[] = [];
  const add = (specifier: string, start: number, isTypeOnly: boolean) => {
    found.push({ target: targetOf(file, specifier), line: lineAt(file.text, start), isTypeOnly });
  };
  new Visitor({
    ImportDeclaration: (node) => {
      add(node.source.value, node.start, node.importKind === "type");
    },
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) add(node.source.value, node.start, node.exportKind === "type");
    },
    ExportAllDeclaration: (node) => {
      add(node.source.value, node.start, node.exportKind === "type");
    },
    ImportExpression: (node) => {
      const source = node.source;
      const isText = source.type === "Literal" && typeof source.value === "string";
      if (isText) add(String(source.value), node.start, false);
    },
    TSImportType: (node) => {
      add(node.source.value, node.start, true);
    },
  }).visit(file.parsed.program);
  return found;
}

/** Whether code uses the global object of Bun or of Deno; asking `"Deno" in globalThis` is no use. */
export function usesRuntime(file: SourceFile): boolean {
  const isRuntime = (name: unknown) => name === "Bun" || name === "Deno";
  let isUsed = false;
  new Visitor({
    Identifier: (node) => {
      isUsed ||= isRuntime(node.name);
    },
    MemberExpression: ({ property }) => {
      isUsed ||= property.type === "Literal" && isRuntime(property.value);
    },
  }).visit(file.parsed.program);
  return isUsed;
}

function targetOf(file: SourceFile, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return relative(projectRoot, join(projectRoot, dirname(file.path), specifier));
}

/** The text without its comments. */
export function codeOf({ text, parsed }: SourceFile): string {
  let code = "";
  let end = 0;
  for (const comment of parsed.comments) {
    code += text.slice(end, comment.start);
    end = comment.end;
  }
  return code + text.slice(end);
}

/** The 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
