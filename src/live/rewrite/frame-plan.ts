// Decides whether a region gets a frame, of what kind, and before which of its statements the frame begins.
import { type Activities, isActive } from "./activity.ts";
import { codeOf, type Region } from "./regions.ts";
import { childrenOf, isClass, type Node, type Statement, walkAll } from "./syntax.ts";

/** `sync`: never suspended. The others leave the stack while they are. */
export type FrameKind = "sync" | "generator" | "async" | "async-generator";

export interface FramePlan {
  readonly kind: FrameKind;
  /** Index of the statement before which the frame begins; all of an expression is on it. */
  readonly entry: number;
}

/** Null when no time passes in it, or no frame can be put in. */
export function planFrame(region: Region, activities: Activities): FramePlan | null {
  const code = codeOf(region).map(activities.of);
  const firstActive = code.findIndex(isActive);
  if (firstActive < 0) return null;
  const isSuspended = code.some(
    (activity) => activity.suspensions.size > 0 || activity.hasAwaitUsing,
  );
  const kind = kindOf(region, isSuspended);
  if (region.expression !== null) return { kind, entry: 0 };
  const entry = entryOf(region, firstActive);
  return entry === null ? null : { kind, entry };
}

/** Also an async generator without `await` is suspended: at each `return` of a value. */
function kindOf({ isAsync, isGenerator }: Region, isSuspended: boolean): FrameKind {
  if (isAsync && isGenerator) return "async-generator";
  if (!isSuspended) return "sync";
  return isGenerator ? "generator" : "async";
}

/**
 * As late as possible, so that an early return costs nothing. But what follows the entry is in a block of its own:
 * nothing before it, closures and hoisted functions included, may use what is declared there.
 */
function entryOf(region: Region, firstActive: number): number | null {
  const { statements, node } = region;
  if (node.type === "Program") return firstActive;
  const first = region.isDerived ? afterSuper(region) : firstCode(statements);
  if (first === null || first >= statements.length) return null;
  const entry = Math.max(first, firstActive);
  if (!usesLater(statements, entry)) return entry;
  return region.isDerived ? null : first;
}

/** Directives stay first. */
function firstCode(statements: readonly Statement[]): number {
  return statements.filter((it) => it.type === "ExpressionStatement" && it.directive).length;
}

/**
 * TypeScript's own code for parameter properties follows a plain `super()`, and must not get into a block. A
 * constructor that has none, and calls `super` in a way of its own, is all on its frame.
 */
function afterSuper({ statements, node }: Region): number | null {
  const at = statements.findIndex(
    (it) =>
      it.type === "ExpressionStatement" &&
      it.expression.type === "CallExpression" &&
      it.expression.callee.type === "Super",
  );
  if (at >= 0) return at + 1;
  const hasProperties = childrenOf(node).some((it) => it.type === "TSParameterProperty");
  return hasProperties ? null : firstCode(statements);
}

/** True when a statement before `entry` names something that is declared in or after it. */
function usesLater(statements: readonly Statement[], entry: number): boolean {
  const later = new Set(statements.slice(entry).flatMap(blockNames));
  if (later.size === 0) return false;
  let isUsed = false;
  for (const statement of statements.slice(0, entry)) {
    walkAll(statement, (node) => {
      isUsed ||= node.type === "Identifier" && later.has(node.name);
    });
  }
  return isUsed;
}

/** What a statement declares for the block around it. */
function blockNames(statement: Statement): string[] {
  switch (statement.type) {
    case "FunctionDeclaration":
    case "TSEnumDeclaration":
      return statement.id?.type === "Identifier" ? [statement.id.name] : [];
    case "VariableDeclaration":
      return statement.kind === "var" ? [] : statement.declarations.flatMap((it) => names(it.id));
    default:
      return isClass(statement) && statement.id !== null ? [statement.id.name] : [];
  }
}

function names(pattern: Node): string[] {
  if (pattern.type === "Identifier") return [pattern.name];
  return childrenOf(pattern).flatMap(names);
}
