// Names functions as engines do, by the place they are written at.
import type { Node } from "./syntax.ts";

/** These methods send a function as text to a browser, where our runtime is not. */
const SENDERS = new Set([
  "$$eval",
  "$eval",
  "addInitScript",
  "evaluate",
  "evaluateAll",
  "evaluateHandle",
  "evaluateOnNewDocument",
  "waitForFunction",
]);

/** The child that a function without a name of its own is called after. */
export function namedChild(
  node: Node,
): { readonly child: Node | null; readonly name: string } | null {
  switch (node.type) {
    case "VariableDeclarator":
      return node.id.type === "Identifier" ? { child: node.init, name: node.id.name } : null;
    case "AssignmentExpression":
    case "AssignmentPattern":
      return node.left.type === "Identifier" ? { child: node.right, name: node.left.name } : null;
    case "Property":
      return { child: node.value, name: keyName(node) };
    case "ExportDefaultDeclaration":
      return { child: node.declaration, name: "default" };
    default:
      return null;
  }
}

export function keyName({
  key,
  computed,
}: {
  readonly key: Node;
  readonly computed: boolean;
}): string {
  if (key.type === "PrivateIdentifier") return `#${key.name}`;
  if (key.type === "Identifier" && !computed) return key.name;
  if (key.type === "Literal") return String(key.value);
  if (key.type === "MemberExpression" && key.property.type === "Identifier") {
    return `[${key.object.type === "Identifier" ? `${key.object.name}.` : ""}${key.property.name}]`;
  }
  return "[computed]";
}

/** True for a call that sends the functions it is given elsewhere. */
export function isSent(node: Node): boolean {
  if (node.type !== "CallExpression" || node.callee.type !== "MemberExpression") return false;
  const { property } = node.callee;
  return property.type === "Identifier" && SENDERS.has(property.name);
}
