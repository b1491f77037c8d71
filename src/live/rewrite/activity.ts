// Sums up what the code under a node does that takes time, and on which lines.
import type { Call } from "./calls.ts";
import { bare, isLoop, type Node, ownChildrenOf } from "./syntax.ts";

/** Of a node and all that runs as part of it, without inner functions. */
export interface Activity {
  /** Lines of calls. */
  readonly calls: ReadonlySet<number>;
  /** Lines of awaits and yields, those that no expression shows included. */
  readonly suspensions: ReadonlySet<number>;
  readonly hasLoop: boolean;
  readonly hasTry: boolean;
  /** `await using`: waits at the end of its block. */
  readonly hasAwaitUsing: boolean;
  readonly hasLabel: boolean;
  readonly hasStream: boolean;
}

export interface Activities {
  of(node: Node): Activity;
  /** True when the node itself, its children aside, is a call in which time can pass. */
  isCall(node: Node): boolean;
  lineOf(offset: number): number;
}

export interface ActivityDeps {
  readonly callOf: (node: Node) => Call | null;
  readonly lineOf: (offset: number) => number;
}

const NONE: Activity = {
  calls: new Set(),
  suspensions: new Set(),
  hasLoop: false,
  hasTry: false,
  hasAwaitUsing: false,
  hasLabel: false,
  hasStream: false,
};

/** Looks at each node once. */
export function createActivities({ callOf, lineOf }: ActivityDeps): Activities {
  const known = new WeakMap<Node, Activity>();

  const isCall = (node: Node) => callOf(node) !== null;
  const ownActivity = (node: Node): Activity => {
    return {
      calls: isCall(node) ? new Set([lineOf(callStart(node))]) : NONE.calls,
      suspensions: isSuspension(node) ? new Set([lineOf(node.start)]) : NONE.suspensions,
      hasLoop: isLoop(node),
      hasTry: node.type === "TryStatement",
      hasAwaitUsing: isAwaitUsing(node),
      hasLabel: node.type === "LabeledStatement",
      hasStream: node.type === "ForOfStatement" && node.await,
    };
  };

  const of = (node: Node): Activity => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const activity = ownChildrenOf(node).map(of).reduce(merge, ownActivity(node));
    known.set(node, activity);
    return activity;
  };

  return { of, isCall, lineOf };
}

/** True when time can pass in it. */
export function isActive(activity: Activity): boolean {
  const { calls, suspensions, hasLoop, hasTry } = activity;
  return calls.size > 0 || suspensions.size > 0 || hasLoop || hasTry;
}

export function isSuspension(node: Node): boolean {
  if (node.type === "AwaitExpression" || node.type === "YieldExpression") return true;
  return node.type === "ForOfStatement" && (node.await || isAwaitUsing(node.left));
}

export function isAwaitUsing(node: Node): boolean {
  return node.type === "VariableDeclaration" && node.kind === "await using";
}

function merge(a: Activity, b: Activity): Activity {
  return {
    calls: union(a.calls, b.calls),
    suspensions: union(a.suspensions, b.suspensions),
    hasLoop: a.hasLoop || b.hasLoop,
    hasTry: a.hasTry || b.hasTry,
    hasAwaitUsing: a.hasAwaitUsing || b.hasAwaitUsing,
    hasLabel: a.hasLabel || b.hasLabel,
    hasStream: a.hasStream || b.hasStream,
  };
}

function union(a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> {
  if (b.size === 0) return a;
  return a.size === 0 ? b : new Set([...a, ...b]);
}

/** In a chain of calls over several lines each is on the line of its own name. */
function callStart(node: Node): number {
  if (node.type !== "CallExpression") return node.start;
  const target = bare(node.callee);
  return target.type === "MemberExpression" ? target.property.start : node.start;
}
