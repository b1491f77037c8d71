// Parses a source as the module it is, or says why it is to be left alone.
import { type ParserOptions, type Program, parseSync } from "oxc-parser";
import { hasOurNames } from "../../job/wire/names.ts";
import { isSuspension } from "./activity.ts";
import { walkAll, walkOwn } from "./syntax.ts";

export type Parsed =
  | { readonly kind: "module"; readonly program: Program }
  /** `isCommonJs`: it must not be loaded as an ES module. */
  | { readonly kind: "other"; readonly note: string; readonly isCommonJs: boolean };

/** Only these are there in CommonJS alone. */
const COMMONJS_NAMES = new Set(["module", "exports", "require", "__filename", "__dirname"]);

export function parseModule(path: string, source: string): Parsed {
  if (/\.c[jt]s$/.test(path)) return refuse("it is CommonJS", true);
  if (hasOurNames(source)) return refuse("it uses names that begin with __sj");
  const parsed = parseSync(path, source, optionsFor(path));
  const [problem] = parsed.errors;
  if (problem !== undefined) return refuse(`it cannot be parsed: ${problem.message}`);
  const { program } = parsed;
  const isCommonJs = parsed.module.hasModuleSyntax ? exportsAsCommonJs(program) : isScript(program);
  return isCommonJs ? refuse("it is CommonJS", true) : { kind: "module", program };
}

/** How many errors the engine would find in a source that parses. */
export function countErrors(path: string, source: string): number {
  return parseSync(path, source, { ...optionsFor(path), showSemanticErrors: true }).errors.length;
}

function refuse(note: string, isCommonJs = false): Parsed {
  return { kind: "other", note, isCommonJs };
}

/** Both runtimes accept JSX in plain JavaScript files. */
function optionsFor(path: string): ParserOptions {
  return /\.[mc]?jsx?$/.test(path) ? { lang: "jsx" } : {};
}

/** `import x = require("x")` and `export = x`. */
function exportsAsCommonJs(program: Program): boolean {
  return program.body.some((statement) => {
    if (statement.type === "TSExportAssignment") return true;
    if (statement.type !== "TSImportEqualsDeclaration") return false;
    return statement.moduleReference.type === "TSExternalModuleReference";
  });
}

/** Without `import` and `export` a file may be either; one that waits at its top level is no CommonJS. */
function isScript(program: Program): boolean {
  let isWaiting = false;
  walkOwn(program, (node) => {
    isWaiting ||= isSuspension(node);
  });
  if (isWaiting) return false;
  let namesIt = false;
  walkAll(program, (node) => {
    namesIt ||= node.type === "Identifier" && COMMONJS_NAMES.has(node.name);
  });
  return namesIt;
}
