// Measures how many lines every function of a source file has, alone and with its inner functions.
import { Visitor } from "oxc-parser";
import { lineAt, type SourceFile } from "./source-files.ts";

/** One function: `lines` counts blank lines and comments too; `ownLines` leaves inner functions out. */
export type FunctionSize = {
  readonly path: string;
  readonly line: number;
  readonly name: string;
  readonly lines: number;
  readonly ownLines: number;
};

type Span = { readonly start: number; readonly end: number };
type Found = Span & { name: string; readonly firstLine: number; readonly lastLine: number };

/** All functions, methods and arrows of a file, outermost first. */
export function functionSizes(file: SourceFile): FunctionSize[] {
  const found = findFunctions(file);
  return found.map((each) => ({
    path: file.path,
    line: each.firstLine,
    name: each.name,
    lines: each.lastLine - each.firstLine + 1,
    ownLines: ownLinesOf(each, found),
  }));
}

function findFunctions(file: SourceFile): Found[] {
  const names = namesByStart(file);
  const found: Found[] = [];
  const add = (node: Span, name?: string) => {
    const firstLine = lineAt(file.text, node.start);
    const lastLine = lineAt(file.text, node.end);
    found.push({
      start: node.start,
      end: node.end,
      name: name ?? names.get(node.start) ?? "(anonymous)",
      firstLine,
      lastLine,
    });
  };
  new Visitor({
    FunctionDeclaration: (node) => add(node, node.id?.name),
    FunctionExpression: (node) => add(node, node.id?.name),
    ArrowFunctionExpression: (node) => add(node),
  }).visit(file.parsed.program);
  return found.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** A function without a name of its own is called after the variable, property or method it fills. */
function namesByStart(file: SourceFile): Map<number, string> {
  const names = new Map<number, string>();
  const textOf = (node: Span) => file.text.slice(node.start, node.end);
  const take = (key: Span, value: Span | null) => {
    if (value !== null) names.set(value.start, textOf(key));
  };
  new Visitor({
    VariableDeclarator: (node) => {
      if (node.id.type === "Identifier") names.set(node.init?.start ?? -1, node.id.name);
    },
    Property: (node) => take(node.key, node.value),
    MethodDefinition: (node) => take(node.key, node.value),
    PropertyDefinition: (node) => take(node.key, node.value),
  }).visit(file.parsed.program);
  return names;
}

/** The line on which an inner function begins stays with the outer one, so one-liners hide nothing. */
function ownLinesOf(outer: Found, all: readonly Found[]): number {
  const inner = new Set<number>();
  for (const each of all) {
    const isInside = each !== outer && each.start >= outer.start && each.end <= outer.end;
    if (!isInside) continue;
    for (let line = each.firstLine + 1; line <= each.lastLine; line++) inner.add(line);
  }
  return outer.lastLine - outer.firstLine + 1 - inner.size;
}
