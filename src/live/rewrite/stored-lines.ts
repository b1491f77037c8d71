// Tells on which lines a statement notes where it is: one line only means that a loop can note it once, outside.
import type { Activities } from "./activity.ts";
import type { Node } from "./syntax.ts";

export interface StoredLines {
  of(statement: Node): ReadonlySet<number>;
  /** What is noted again in each iteration. */
  inLoop(loop: Node): ReadonlySet<number>;
  /** The line of the only call under `code`, else that on which the statement begins. */
  lineFor(statement: Node, code: Node): number;
}

/** `marksBlocks`: in a function that is suspended now and then, `catch` and `finally` note themselves. */
export function createStoredLines(
  { of: activityOf, lineOf }: Activities,
  marksBlocks: boolean,
): StoredLines {
  const lineFor = (statement: Node, code: Node): number => {
    const { calls } = activityOf(code);
    const [only] = calls;
    return only !== undefined && calls.size === 1 ? only : lineOf(statement.start);
  };

  const head = (statement: Node, ...codes: readonly (Node | null)[]): number[] =>
    codes.flatMap((code) => {
      if (code === null) return [];
      const { calls, suspensions } = activityOf(code);
      return [...(calls.size > 0 ? [lineFor(statement, code)] : []), ...suspensions];
    });

  const all = (nodes: readonly (Node | null)[]): number[] =>
    nodes.flatMap((node) => (node === null ? [] : linesOf(node)));

  const block = (node: Node | null): number[] =>
    node !== null && marksBlocks ? [lineOf(node.start)] : [];

  const loopLines = (loop: Node): number[] => {
    switch (loop.type) {
      case "ForStatement":
        return [...head(loop, loop.test, loop.update), ...linesOf(loop.body)];
      case "WhileStatement":
      case "DoWhileStatement":
        return [...head(loop, loop.test), ...linesOf(loop.body)];
      case "ForInStatement":
        return linesOf(loop.body);
      case "ForOfStatement":
        return [
          ...head(loop, loop.left),
          ...linesOf(loop.body),
          ...(loop.await ? [lineOf(loop.start)] : []),
        ];
      default:
        return [];
    }
  };

  const linesOf = (node: Node): number[] => {
    switch (node.type) {
      case "BlockStatement":
      case "TSModuleBlock":
        return all(node.body);
      case "IfStatement":
        return [...head(node, node.test), ...all([node.consequent, node.alternate])];
      case "ForStatement":
        return [...head(node, node.init), ...orOwn(node, loopLines(node), lineOf)];
      case "ForInStatement":
      case "ForOfStatement":
        return [...head(node, node.right), ...orOwn(node, loopLines(node), lineOf)];
      case "WhileStatement":
      case "DoWhileStatement":
        return orOwn(node, loopLines(node), lineOf);
      case "SwitchStatement":
        return [
          ...head(node, node.discriminant, ...node.cases.map((it) => it.test)),
          ...all(node.cases.flatMap((it) => it.consequent)),
        ];
      case "TryStatement":
        return [
          ...all([node.block, node.handler?.body ?? null, node.finalizer]),
          ...block(node.handler),
          ...block(node.finalizer),
        ];
      case "LabeledStatement":
        return linesOf(node.body);
      case "TSModuleDeclaration":
        return all([node.body]);
      default:
        return head(node, node);
    }
  };

  return {
    of: (statement) => new Set(linesOf(statement)),
    inLoop: (loop) => new Set(loopLines(loop)),
    lineFor,
  };
}

function orOwn(loop: Node, lines: number[], lineOf: (offset: number) => number): number[] {
  return lines.length > 0 ? lines : [lineOf(loop.start)];
}
