// Knows which functions of a file a name can only mean, so that a call by that name is known to be of ours.
import type { Program } from "oxc-parser";
import { createConversions, isConversion } from "./conversions.ts";
import type { Region } from "./regions.ts";
import {
  type ClassElement,
  childrenOf,
  isClass,
  isFunction,
  type Node,
  walkAll,
} from "./syntax.ts";

export interface Definitions {
  /** True when nothing of the file is called so: then it means the runtime's global. */
  isGlobal(name: string): boolean;
  /** What a call of this name runs; undefined when that is not certain. */
  functionOf(name: string): readonly Region[] | undefined;
  /** What `new` of this name runs; undefined when that is not certain. */
  constructorOf(name: string): readonly Region[] | undefined;
  /** What a call of this method of `this` may run. */
  methodsOf(name: string): readonly Region[] | undefined;
  /** What reading or writing this property may run. */
  accessorsOf(name: string): readonly Region[] | undefined;
  /** What an operator may run on objects of this file; null for nothing. */
  conversionsBy(node: Node): readonly Region[] | null;
}

export function findDefinitions(program: Program, regions: readonly Region[]): Definitions {
  const byNode = new Map(regions.map((region) => [region.node, region]));
  const found = {
    bindings: new Map<string, number>(),
    assigned: new Set<string>(),
    functions: new Map<string, readonly Region[]>(),
    constructors: new Map<string, readonly Region[]>(),
    methods: new Map<string, Region[]>(),
    accessors: new Map<string, Region[]>(),
  };
  const converting: Region[] = [];
  walkAll(program, (node) => {
    collect(node, found, byNode);
    const region = isConversion(node) ? byNode.get(node.value) : undefined;
    if (region !== undefined) converting.push(region);
  });
  const isCertain = (name: string) => found.bindings.get(name) === 1 && !found.assigned.has(name);
  return {
    isGlobal: (name) => !found.bindings.has(name),
    functionOf: (name) => (isCertain(name) ? found.functions.get(name) : undefined),
    constructorOf: (name) => (isCertain(name) ? found.constructors.get(name) : undefined),
    methodsOf: (name) => found.methods.get(name),
    accessorsOf: (name) => found.accessors.get(name),
    conversionsBy: createConversions(converting),
  };
}

interface Found {
  readonly bindings: Map<string, number>;
  readonly assigned: Set<string>;
  readonly functions: Map<string, readonly Region[]>;
  readonly constructors: Map<string, readonly Region[]>;
  readonly methods: Map<string, Region[]>;
  readonly accessors: Map<string, Region[]>;
}

type ByNode = ReadonlyMap<Node, Region>;

function collect(node: Node, found: Found, byNode: ByNode): void {
  for (const name of bindingsOf(node)) {
    found.bindings.set(name, (found.bindings.get(name) ?? 0) + 1);
  }
  if (node.type === "AssignmentExpression" && node.left.type === "Identifier") {
    found.assigned.add(node.left.name);
  }
  collectFunction(node, found, byNode);
  if (isClass(node)) collectClass(node.body.body, found, byNode);
  if (isClass(node) && node.superClass === null) {
    const runs = node.body.body.flatMap((member) => runsAtNew(member, byNode));
    const name = node.id?.name;
    if (name !== undefined) found.constructors.set(name, runs);
  }
  if (node.type === "Property" && node.kind !== "init") {
    remember(found.accessors, node.key, byNode.get(node.value));
  }
}

function collectFunction(node: Node, found: Found, byNode: ByNode): void {
  const region = byNode.get(node.type === "VariableDeclarator" && node.init ? node.init : node);
  if (region === undefined) return;
  if (node.type === "FunctionDeclaration" && node.id !== null) {
    found.functions.set(node.id.name, [region]);
  }
  if (
    node.type === "VariableDeclarator" &&
    node.id.type === "Identifier" &&
    isFunction(region.node)
  ) {
    found.functions.set(node.id.name, [region]);
  }
}

function collectClass(members: readonly ClassElement[], found: Found, byNode: ByNode): void {
  for (const member of members) {
    if (member.type !== "MethodDefinition" || member.kind === "constructor") continue;
    const group = member.kind === "method" ? found.methods : found.accessors;
    remember(group, member.key, byNode.get(member.value));
  }
}

function remember(group: Map<string, Region[]>, key: Node, region: Region | undefined): void {
  const name = nameOfKey(key);
  if (name === undefined || region === undefined) return;
  const known = group.get(name);
  if (known === undefined) group.set(name, [region]);
  else known.push(region);
}

/** Private names with their `#`, as they are never mistaken for public ones. */
export function nameOfKey(key: Node): string | undefined {
  if (key.type === "PrivateIdentifier") return `#${key.name}`;
  return key.type === "Identifier" ? key.name : undefined;
}

function runsAtNew(member: ClassElement, byNode: ByNode): Region[] {
  const isConstructor = member.type === "MethodDefinition" && member.kind === "constructor";
  const isField = member.type === "PropertyDefinition" && !member.static;
  if (!isConstructor && !isField) return [];
  const region = member.value === null ? undefined : byNode.get(member.value);
  const isValue = isField && region !== undefined && isFunction(region.node);
  return region === undefined || isValue ? [] : [region];
}

/** The names that a node declares. */
function bindingsOf(node: Node): string[] {
  switch (node.type) {
    case "VariableDeclarator":
      return patternNames(node.id);
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return [...idNames(node.id), ...(isFunction(node) ? node.params.flatMap(patternNames) : [])];
    case "ClassDeclaration":
    case "ClassExpression":
      return idNames(node.id);
    case "CatchClause":
      return node.param === null ? [] : patternNames(node.param);
    case "ImportSpecifier":
    case "ImportDefaultSpecifier":
    case "ImportNamespaceSpecifier":
      return [node.local.name];
    case "TSEnumDeclaration":
    case "TSModuleDeclaration":
      return node.id.type === "Identifier" ? [node.id.name] : [];
    default:
      return [];
  }
}

function idNames(id: { readonly name: string } | null): string[] {
  return id === null ? [] : [id.name];
}

function patternNames(pattern: Node): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "AssignmentPattern":
      return patternNames(pattern.left);
    case "Property":
      return patternNames(pattern.value);
    case "TSParameterProperty":
      return patternNames(pattern.parameter);
    default:
      return childrenOf(pattern).flatMap(patternNames);
  }
}
