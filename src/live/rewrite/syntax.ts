// Walks a syntax tree: the code that runs as part of one function, without its types and its inner functions.
import {
  type ArrowFunctionExpression,
  type Class,
  type ClassElement,
  type Function as FunctionNode,
  type Node,
  type Statement,
  visitorKeys,
} from "oxc-parser";

export type { ClassElement, Node, Statement };

export type AnyFunction = FunctionNode | ArrowFunctionExpression;

/** What TypeScript adds and leaves something of at run time. */
const LASTING = new Set([
  "TSAsExpression",
  "TSSatisfiesExpression",
  "TSNonNullExpression",
  "TSTypeAssertion",
  "TSInstantiationExpression",
  "TSEnumDeclaration",
  "TSEnumBody",
  "TSEnumMember",
  "TSModuleDeclaration",
  "TSModuleBlock",
  "TSExportAssignment",
  "TSParameterProperty",
]);

export function isFunction(node: Node): node is AnyFunction {
  const { type } = node;
  if (type === "ArrowFunctionExpression") return true;
  return (type === "FunctionDeclaration" || type === "FunctionExpression") && node.body !== null;
}

export function isClass(node: Node): node is Class {
  return node.type === "ClassDeclaration" || node.type === "ClassExpression";
}

export function isLoop(node: Node): boolean {
  return LOOPS.has(node.type);
}

const LOOPS = new Set([
  "ForStatement",
  "ForInStatement",
  "ForOfStatement",
  "WhileStatement",
  "DoWhileStatement",
]);

/** All children that are left at run time, in the order of the source. They are asked for again and again. */
export function childrenOf(node: Node): readonly Node[] {
  const known = childrenByNode.get(node);
  if (known !== undefined) return known;
  const children: Node[] = [];
  for (const key of visitorKeys[node.type] ?? []) {
    const value = (node as unknown as Readonly<Record<string, unknown>>)[key];
    if (Array.isArray(value)) addLasting(value as unknown[], children);
    else if (isLasting(value)) children.push(value);
  }
  childrenByNode.set(node, children);
  return children;
}

const childrenByNode = new WeakMap<Node, readonly Node[]>();

function addLasting(values: readonly unknown[], children: Node[]): void {
  for (const value of values) if (isLasting(value)) children.push(value);
}

/**
 * The children that run when `node` does: nothing of a function, and of a class what is evaluated outside of its
 * members. Its static parts run too, but as functions of their own.
 */
export function ownChildrenOf(node: Node): readonly Node[] {
  if (isFunction(node)) return [];
  if (!isClass(node)) return childrenOf(node);
  const heritage = node.superClass === null ? [] : [node.superClass];
  return [...node.decorators, ...heritage, ...node.body.body.flatMap(outsideOfMember)];
}

/** Calls `visit` for `node` and all that runs as part of it, outer before inner. */
export function walkOwn(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const child of ownChildrenOf(node)) walkOwn(child, visit);
}

/** Calls `visit` for every node that is left at run time. */
export function walkAll(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const child of childrenOf(node)) walkAll(child, visit);
}

/** Decorators and computed keys. */
function outsideOfMember(member: ClassElement): readonly Node[] {
  if (member.type === "StaticBlock" || !("decorators" in member) || !isLasting(member)) return [];
  return member.computed ? [...member.decorators, member.key] : member.decorators;
}

/** Where a statement begins, its decorators included: those of an exported class come before its `export`. */
export function startOf(statement: Node): number {
  const isExport =
    statement.type === "ExportNamedDeclaration" || statement.type === "ExportDefaultDeclaration";
  const inner = isExport ? statement.declaration : null;
  if (inner === null || !isClass(inner)) return statement.start;
  return Math.min(statement.start, inner.decorators[0]?.start ?? statement.start);
}

/** What an expression is without parentheses and types around it. */
export function bare(node: Node): Node {
  switch (node.type) {
    case "ParenthesizedExpression":
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
    case "TSTypeAssertion":
      return bare(node.expression);
    default:
      return node;
  }
}

function isLasting(value: unknown): value is Node {
  if (typeof value !== "object" || value === null) return false;
  const node = value as Node;
  if ("declare" in node && node.declare === true) return false;
  return !node.type.startsWith("TS") || LASTING.has(node.type);
}
