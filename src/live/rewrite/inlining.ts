// Decides which small functions need no frame, because no time can pass in them that another frame would not show.
import { isSuspension } from "./activity.ts";
import type { Call } from "./calls.ts";
import { codeOf, type Region } from "./regions.ts";
import { childrenOf, isFunction, isLoop, type Node, walkOwn } from "./syntax.ts";

export interface Inlining {
  /** A call of it takes the same short time always: it counts as no call at all. */
  isCheap(region: Region): boolean;
  /** Only what it calls can take time, and that has frames of its own. */
  isLight(region: Region): boolean;
}

/** In syntax nodes; in a larger function a frame costs little in proportion, and is worth seeing. */
const SMALL = 60;

interface Body {
  readonly size: number;
  /** No loop and no suspension. */
  readonly isStraight: boolean;
  readonly isHeavy: boolean;
  readonly targets: readonly Region[];
  readonly hasActiveParams: boolean;
}

export function createInlining(callOf: (node: Node) => Call | null): Inlining {
  const bodies = new Map<Region, Body>();
  const bodyOf = (region: Region): Body => {
    const known = bodies.get(region) ?? describe(region, callOf);
    bodies.set(region, known);
    return known;
  };

  /** `holds` for a function, and for all that it may call, with no way back to itself. */
  const createRule = (holds: (body: Body) => boolean) => {
    const results = new Map<Region, boolean>();
    const rule = (region: Region): boolean => {
      const known = results.get(region);
      if (known !== undefined) return known;
      results.set(region, false);
      const body = bodyOf(region);
      const result = holds(body) && body.targets.every(rule);
      results.set(region, result);
      return result;
    };
    return rule;
  };

  const endsByItself = createRule(() => true);
  return {
    isCheap: createRule((body) => body.isStraight && !body.isHeavy && !body.hasActiveParams),
    isLight(region) {
      const { isStraight, isHeavy, size } = bodyOf(region);
      return isStraight && !isHeavy && size <= SMALL && endsByItself(region);
    },
  };
}

function describe(region: Region, callOf: (node: Node) => Call | null): Body {
  const calls: Call[] = [];
  let size = 0;
  let isStraight = !region.isAsync && !region.isGenerator;
  const look = (node: Node) => {
    size += 1;
    if (isLoop(node) || isSuspension(node)) isStraight = false;
    const call = callOf(node);
    if (call !== null) calls.push(call);
  };
  for (const node of codeOf(region)) walkOwn(node, look);
  return {
    size,
    isStraight,
    isHeavy: calls.includes("heavy"),
    targets: calls.flatMap((call) => (call === "heavy" ? [] : call)),
    hasActiveParams: paramsOf(region).some((node) => hasCall(node, callOf)),
  };
}

function paramsOf({ node, expression }: Region): readonly Node[] {
  if (!isFunction(node)) return [];
  return childrenOf(node).filter((child) => child !== node.body && child !== expression);
}

function hasCall(node: Node, callOf: (node: Node) => Call | null): boolean {
  let found = false;
  walkOwn(node, (inner) => {
    found ||= callOf(inner) !== null;
  });
  return found;
}
