// Tells which expressions are calls in which time can pass, and whether what they run is certainly instrumented.
import { isCheapConstructor, isCheapGlobal, isCheapMethod, isCheapStatic } from "./cheap-calls.ts";
import { type Definitions, nameOfKey } from "./definitions.ts";
import type { Region } from "./regions.ts";
import { bare, isClass, type Node } from "./syntax.ts";

/** `heavy`: it may run anything. Otherwise the functions of this file of which it runs one. */
export type Call = "heavy" | readonly Region[];

/** What a node itself calls, its children aside; null when it takes no time. */
export function callOf(node: Node, definitions: Definitions): Call | null {
  switch (node.type) {
    case "CallExpression":
      return hasSpread(node.arguments) ? "heavy" : callee(bare(node.callee), definitions);
    case "NewExpression":
      return hasSpread(node.arguments) ? "heavy" : constructed(node.callee, definitions);
    case "MemberExpression":
      return (
        definitions.accessorsOf(nameOfKey(node.property) ?? "") ?? definitions.conversionsBy(node)
      );
    default:
      return isHeavy(node) ? "heavy" : definitions.conversionsBy(node);
  }
}

function isHeavy(node: Node): boolean {
  switch (node.type) {
    case "TaggedTemplateExpression":
    case "ImportExpression":
    case "Decorator":
      return true;
    case "ArrayExpression":
      return hasSpread(node.elements);
    case "BinaryExpression":
      return node.operator === "**" && node.right.type !== "Literal";
    case "AssignmentExpression":
      return node.operator === "**=" && node.right.type !== "Literal";
    case "VariableDeclaration":
      return node.kind === "using" || node.kind === "await using";
    default:
      return isClass(node) && node.body.body.some(runsWithItsClass);
  }
}

function callee(target: Node, definitions: Definitions): Call | null {
  if (target.type === "Identifier") return namedCallee(target.name, definitions);
  if (target.type !== "MemberExpression" || target.computed) return "heavy";
  const name = nameOfKey(target.property) ?? "";
  const { object } = target;
  if (object.type === "ThisExpression") return definitions.methodsOf(name) ?? "heavy";
  if (isCheapMethod(name)) return null;
  const isStatic = object.type === "Identifier" && definitions.isGlobal(object.name);
  return isStatic && isCheapStatic(object.name, name) ? null : "heavy";
}

function namedCallee(name: string, definitions: Definitions): Call | null {
  if (isCheapGlobal(name) && definitions.isGlobal(name)) return null;
  return definitions.functionOf(name) ?? "heavy";
}

function constructed(target: Node, definitions: Definitions): Call | null {
  if (target.type !== "Identifier") return "heavy";
  if (isCheapConstructor(target.name) && definitions.isGlobal(target.name)) return null;
  return definitions.constructorOf(target.name) ?? "heavy";
}

function runsWithItsClass(member: Node): boolean {
  if (member.type === "StaticBlock") return true;
  const isField = member.type === "PropertyDefinition" || member.type === "AccessorProperty";
  return isField && member.static && member.value !== null && member.value.type !== "Literal";
}

function hasSpread(nodes: readonly (Node | null)[]): boolean {
  return nodes.some((node) => node?.type === "SpreadElement");
}
