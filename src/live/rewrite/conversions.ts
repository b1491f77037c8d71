// Knows the methods of a file by which its objects become plain values, and which operators may call them.
import type { MethodDefinition, ObjectProperty } from "oxc-parser";
import { codeOf, type Region } from "./regions.ts";
import { bare, isClass, type Node, walkOwn } from "./syntax.ts";

const NAMES = new Set(["valueOf", "toString"]);
/** `===` and `!==` compare as they are; `in` and `instanceof` convert nothing of ours. */
const ASKING_NOTHING = new Set(["===", "!==", "in", "instanceof"]);
const CONVERTING = new Set(["+", "-", "~"]);
const ASSIGNING_ONLY = new Set(["=", "&&=", "||=", "??="]);

/**
 * What a node itself may run by converting objects of its file; null for nothing. Of objects of other files nobody knows
 * it here, as with their getters: to note a line before each comparison would cost the tightest code most. Inside a
 * conversion operators are taken for those of plain values, which it is there to make.
 */
export function createConversions(
  regions: readonly Region[],
): (node: Node) => readonly Region[] | null {
  if (regions.length === 0) return () => null;
  const inside = new Set<Node>();
  for (const region of regions) {
    for (const code of codeOf(region)) walkOwn(code, (node) => inside.add(node));
  }
  return (node) => (operandsOf(node).some(mayBeObject) && !inside.has(node) ? regions : null);
}

/** Of a class or an object literal. */
export function isConversion(node: Node): node is MethodDefinition | ObjectProperty {
  if (node.type !== "MethodDefinition" && node.type !== "Property") return false;
  if (node.kind !== "init" && node.kind !== "method") return false;
  const { key } = node;
  if (!node.computed) return key.type === "Identifier" && NAMES.has(key.name);
  return key.type === "MemberExpression" && isNamed(key.property, "toPrimitive");
}

function isNamed(node: Node, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}

function operandsOf(node: Node): readonly Node[] {
  switch (node.type) {
    case "BinaryExpression":
      return ASKING_NOTHING.has(node.operator) ? [] : [node.left, node.right];
    case "AssignmentExpression":
      return ASSIGNING_ONLY.has(node.operator) ? [] : [node.left, node.right];
    case "UnaryExpression":
      return CONVERTING.has(node.operator) ? [node.argument] : [];
    case "UpdateExpression":
      return [node.argument];
    case "TemplateLiteral":
      return node.expressions;
    case "MemberExpression":
      return node.computed ? [node.property] : [];
    default:
      return [];
  }
}

/** False for what is certainly a plain value already. */
function mayBeObject(code: Node): boolean {
  const node = bare(code);
  switch (node.type) {
    case "Literal":
    case "TemplateLiteral":
    case "UnaryExpression":
    case "UpdateExpression":
    case "BinaryExpression":
      return false;
    default:
      return !isClass(node);
  }
}
