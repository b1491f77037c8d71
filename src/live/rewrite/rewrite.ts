// Puts the parts together: finds what runs on a frame of its own in a module, and writes into each.
import type { Program } from "oxc-parser";
import type { TraceMode } from "../../job/wire/prepared-source.ts";
import { type Location, locationId, type Shift } from "../locations.ts";
import { type Activities, createActivities, isActive } from "./activity.ts";
import { callOf } from "./calls.ts";
import { findDefinitions } from "./definitions.ts";
import { type FramePlan, planFrame } from "./frame-plan.ts";
import { createInlining, type Inlining } from "./inlining.ts";
import { createInsertions, type Insertions } from "./insertions.ts";
import { createLines, type Lines } from "./lines.ts";
import { codeOf, findRegions, type Region } from "./regions.ts";
import { createStoredLines } from "./stored-lines.ts";
import type { Node } from "./syntax.ts";
import { writeRegion } from "./write-region.ts";
import { writeStatement } from "./write-statements.ts";
import type { Writer } from "./writer.ts";

export interface InstrumentOptions {
  readonly path: string;
  /** 1–32,767; of this path alone, in one live memory. */
  readonly fileNumber: number;
  readonly mode: TraceMode;
}

export interface Rewritten {
  readonly code: string;
  readonly entries: readonly Location[];
  readonly shifts: readonly Shift[];
}

interface File {
  readonly options: InstrumentOptions;
  readonly lines: Lines;
  readonly insert: Insertions;
  readonly activities: Activities;
  readonly entries: Location[];
}

export function rewrite(source: string, program: Program, options: InstrumentOptions): Rewritten {
  const lines = createLines(source);
  const regions = findRegions(program);
  const definitions = findDefinitions(program, regions);
  const allCallsOf = (node: Node) => callOf(node, definitions);
  const lightness = options.mode === "lean" ? createInlining(allCallsOf) : null;
  const activities = createActivities({
    lineOf: lines.lineOf,
    callOf: lightness === null ? allCallsOf : withoutCheap(allCallsOf, lightness),
  });
  const insert = createInsertions(source, lines);
  const file: File = { options, lines, insert, activities, entries: [] };
  for (const region of regions) {
    const plan = planFrame(region, activities);
    if (plan !== null && lightness?.isLight(region) !== true)
      writeRegion(openWriter(file, region, plan));
  }
  return { ...insert.apply(), entries: file.entries };
}

type CallOf = (node: Node) => ReturnType<typeof callOf>;

function withoutCheap(allCallsOf: CallOf, lightness: Inlining): CallOf {
  return (node) => {
    const call = allCallsOf(node);
    return call !== null && call !== "heavy" && call.every(lightness.isCheap) ? null : call;
  };
}

function openWriter(file: File, region: Region, plan: FramePlan): Writer {
  const { activities, insert } = file;
  const code = codeOf(region);
  const isShaky = code.some((node) => isLeftSuspended(node, activities));
  const writer: Writer = {
    region,
    plan,
    insert,
    activities,
    lines: createStoredLines(activities, plan.kind !== "sync"),
    locate: createPlaces(file, region),
    storesLines: file.options.mode !== "functions",
    write: (statement, place) => writeStatement(writer, statement, place),
    isShaky,
    lastActive: code.findLast((node) => isActive(activities.of(node))) ?? null,
    line: undefined,
    guards: isShaky ? 1 : 0,
    loops: 0,
    resources: 0,
  };
  return writer;
}

/** True where a jump may pass by the code that takes the frame back after an implicit await. */
function isLeftSuspended(node: Node, activities: Activities): boolean {
  const { hasAwaitUsing, hasLabel, hasStream } = activities.of(node);
  return hasAwaitUsing || (hasLabel && hasStream);
}

/** Gives each line of a region one number; without lines, there is only that of the region. */
function createPlaces(file: File, region: Region): (line: number) => number {
  const { options, lines, entries } = file;
  const known = new Map<number, number>();
  const add = (line: number): number => {
    const id = locationId(options.fileNumber, entries.length);
    const { name, className, isStatic } = region;
    const type = isStatic ? "::" : "->";
    const owner = className === undefined ? {} : ({ class: className, type } as const);
    entries.push({ line, column: lines.columnOf(line), function: name, ...owner });
    return id;
  };
  const own = lines.lineOf(region.node.start);
  return (asked) => {
    const line = options.mode === "functions" ? own : asked;
    const id = known.get(line) ?? add(line);
    known.set(line, id);
    return id;
  };
}
