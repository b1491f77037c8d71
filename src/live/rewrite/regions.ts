// Finds all pieces of a file that run on a frame of their own, and what they are called.
import type { Program } from "oxc-parser";
import { isSent, keyName, namedChild } from "./naming.ts";
import {
  type AnyFunction,
  bare,
  type ClassElement,
  childrenOf,
  isClass,
  isFunction,
  type Node,
  type Statement,
} from "./syntax.ts";

/** A function, the top level of a module, a static block, or the value of a class field. */
export interface Region {
  readonly node: Node;
  readonly name: string;
  readonly className: string | undefined;
  /** Of a class, not of its instances. */
  readonly isStatic: boolean;
  /** What it runs: statements, or one expression (an arrow function's or a field's). */
  readonly statements: readonly Statement[];
  readonly expression: Node | null;
  readonly isAsync: boolean;
  readonly isGenerator: boolean;
  /** A constructor that has no `this` before it calls `super()`. */
  readonly isDerived: boolean;
}

/** The code of a region that runs on its frame. */
export function codeOf(region: Region): readonly Node[] {
  return region.expression === null ? region.statements : [region.expression];
}

const ANONYMOUS = "(anonymous)";
const MODULE = "(module)";

interface Naming {
  readonly name?: string | undefined;
  readonly className?: string | undefined;
  readonly isStatic?: boolean;
  readonly isDerived?: boolean;
}

/** All regions, outer before inner. */
export function findRegions(program: Program): Region[] {
  const statements = program.body as readonly Statement[];
  const found: Region[] = [{ ...PLAIN, node: program, name: MODULE, statements }];
  visitAll(found, program.body);
  return found;
}

const PLAIN = {
  className: undefined,
  isStatic: false,
  statements: [],
  expression: null,
  isAsync: false,
  isGenerator: false,
  isDerived: false,
} as const;

function visitAll(found: Region[], nodes: readonly (Node | null)[]): void {
  for (const node of nodes) if (node !== null) visit(found, node, {});
}

function visit(found: Region[], node: Node, naming: Naming): void {
  if (isFunction(node)) {
    found.push(functionRegion(node, naming));
    visitAll(found, childrenOf(node));
  } else if (isClass(node)) {
    visitAll(found, [...node.decorators, node.superClass]);
    const className = node.id?.name ?? naming.name ?? ANONYMOUS;
    const isDerived = node.superClass !== null;
    for (const member of node.body.body) visitMember(found, member, { className, isDerived });
  } else {
    visitChildren(found, node, naming);
  }
}

function visitChildren(found: Region[], node: Node, naming: Naming): void {
  const isAround = bare(node) !== node;
  const named = namedChild(node);
  for (const child of childrenOf(node)) {
    if (isFunction(child) && isSent(node)) continue;
    const own = child === named?.child ? { name: named.name } : {};
    visit(found, child, isAround ? naming : own);
  }
}

function visitMember(found: Region[], member: ClassElement, owner: Naming): void {
  const { className } = owner;
  if (member.type === "StaticBlock") {
    const own = { name: "(static)", className, isStatic: true };
    found.push({ ...PLAIN, ...own, node: member, statements: member.body });
    visitAll(found, member.body);
  } else if (member.type === "MethodDefinition") {
    visitAll(found, [...member.decorators, member.key]);
    const isConstructor = member.kind === "constructor";
    const name = isConstructor ? "constructor" : keyName(member);
    const isDerived = isConstructor && owner.isDerived === true;
    visit(found, member.value, { name, className, isStatic: member.static, isDerived });
  } else if (member.type === "PropertyDefinition" || member.type === "AccessorProperty") {
    visitAll(found, [...member.decorators, member.key]);
    visitField(found, member.declare === true ? null : member.value, {
      name: keyName(member),
      className,
      isStatic: member.static,
    });
  }
}

function visitField(found: Region[], value: Node | null, naming: Naming): void {
  if (value === null) return;
  const target = bare(value);
  const isNamed = isFunction(target) || isClass(target);
  const { name = ANONYMOUS, className, isStatic = false } = naming;
  if (!isNamed) found.push({ ...PLAIN, node: value, name, className, isStatic, expression: value });
  visit(found, value, isNamed ? naming : {});
}

function functionRegion(node: AnyFunction, naming: Naming): Region {
  const { body } = node;
  const isBlock = body !== null && body.type === "BlockStatement";
  return {
    node,
    name: node.id?.name ?? naming.name ?? ANONYMOUS,
    className: naming.className,
    isStatic: naming.isStatic ?? false,
    statements: isBlock ? body.body : [],
    expression: isBlock ? null : body,
    isAsync: node.async,
    isGenerator: node.generator,
    isDerived: naming.isDerived ?? false,
  };
}
