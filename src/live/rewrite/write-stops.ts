// Writes into loops what makes them stand still for a kill: the engine stops a thread only where it finds it in JavaScript.
import { CALLS } from "../../job/wire/names.ts";
import { bare, isLoop, type Node, ownChildrenOf } from "./syntax.ts";
import { writeAfter } from "./write-stores.ts";
import type { Place, Writer } from "./writer.ts";

/** What a loop does first in each iteration: nothing, unless a call of its own may keep the thread in native code. */
export function stopText(writer: Writer, loop: Node): string {
  const isCalling = repeated(loop).some((part) => callsItself(writer, part));
  return isCalling ? `${CALLS.stop}();` : "";
}

/** The parts of a loop that run again and again. */
function repeated(loop: Node): readonly Node[] {
  switch (loop.type) {
    case "ForStatement":
      return [loop.test, loop.update, loop.body].filter((part) => part !== null);
    case "WhileStatement":
    case "DoWhileStatement":
      return [loop.test, loop.body];
    case "ForInStatement":
    case "ForOfStatement":
      return [loop.body];
    default:
      return [];
  }
}

/** Inner loops and functions look after themselves. */
function callsItself(writer: Writer, node: Node): boolean {
  if (isLoop(node)) return false;
  return (
    writer.activities.isCall(node) ||
    ownChildrenOf(node).some((child) => callsItself(writer, child))
  );
}

/** After what may have made a BigInt: arithmetic on large ones is native code too. Of a number it costs nothing. */
export function stopAfterBigInt(writer: Writer, node: Node, place: Place): void {
  if (writer.loops === 0) return;
  const looks = assigned(node).map((name) => `${CALLS.stopBig}(${name})`);
  if (looks.length > 0) writeAfter(writer, place, looks.join(","));
}

/** Variables that a statement gives a new value that may be a BigInt. Only here is it certain that they are there. */
function assigned(node: Node): string[] {
  if (node.type === "VariableDeclaration") {
    return node.declarations.flatMap(({ id, init }) =>
      id.type === "Identifier" && init !== null && mayGrow(init) ? [id.name] : [],
    );
  }
  const target = node.type === "ExpressionStatement" ? bare(node.expression) : node;
  if (target.type !== "AssignmentExpression" || target.left.type !== "Identifier") return [];
  const { operator, left, right } = target;
  const isGrowing = GROWING.has(operator.slice(0, -1)) ? !isNumber(right) : mayGrow(right);
  return isGrowing ? [left.name] : [];
}

const GROWING = new Set(["+", "-", "*", "/", "%", "**", "<<"]);

function mayGrow(code: Node): boolean {
  const node = bare(code);
  switch (node.type) {
    case "BinaryExpression":
      return GROWING.has(node.operator) && !isNumber(node.left) && !isNumber(node.right);
    case "ConditionalExpression":
      return mayGrow(node.consequent) || mayGrow(node.alternate);
    case "LogicalExpression":
      return mayGrow(node.left) || mayGrow(node.right);
    default:
      return false;
  }
}

/** True of what is certainly no BigInt; arithmetic with it has none either. */
function isNumber(code: Node): boolean {
  const node = bare(code);
  switch (node.type) {
    case "Literal":
      return !("bigint" in node);
    case "TemplateLiteral":
      return true;
    case "UnaryExpression":
      return node.operator !== "-" && node.operator !== "~" ? true : isNumber(node.argument);
    case "BinaryExpression":
      return isNumber(node.left) || isNumber(node.right);
    case "MemberExpression":
      return !node.computed && node.property.name === "length";
    default:
      return false;
  }
}
