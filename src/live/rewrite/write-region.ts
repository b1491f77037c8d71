// Writes the frame of one region around its code, and then into the code.
import { CALLS, DEPTH, HANDLE } from "../../job/wire/names.ts";
import { isFunction, isLoop, type Node, startOf } from "./syntax.ts";
import { lastAwait, writeExpression, writeTail } from "./write-expressions.ts";
import { writeStatements } from "./write-statements.ts";
import { isSuspending, keepsHandle, type Writer } from "./writer.ts";

export function writeRegion(writer: Writer): void {
  const { region, plan } = writer;
  if (region.expression !== null) {
    writeValue(writer, region.expression);
    return;
  }
  const entry = region.statements[plan.entry];
  if (entry === undefined) return;
  const line = writer.storesLines
    ? leadLine(writer, entry)
    : writer.activities.lineOf(region.node.start);
  if (region.node.type === "Program") frameModule(writer, entry, line);
  else frameBody(writer, entry, line);
  writer.line = line;
  writeStatements(writer, region.statements.slice(plan.entry));
}

/** The value of an arrow function or of a class field. */
function writeValue(writer: Writer, value: Node): void {
  const { activities, region, insert } = writer;
  const line = writer.storesLines
    ? writer.lines.lineFor(value, value)
    : activities.lineOf(region.node.start);
  const [before, after] = isFunction(region.node) ? ["{", "}"] : ["(()=>{", "})()"];
  insert.open(value.start, `${before}${enterText(writer, line)}try{return `);
  insert.close(value.end, `}finally{${leaveText(writer)}}${after}`);
  const tail = writer.plan.kind === "async" ? lastAwait(writer, value) : null;
  if (tail === null) writeExpression(writer, value);
  else writeTail(writer, value, tail);
}

function frameBody(writer: Writer, entry: Node, line: number): void {
  const { node } = writer.region;
  const end = isFunction(node) && node.body !== null ? node.body.end : node.end;
  writer.insert.open(startOf(entry), `${enterText(writer, line)}try{`);
  writer.insert.close(end - 1, `}finally{${leaveText(writer)}}`);
}

/** Exports must stay at the top level, so a module that throws leaves its frame to its importer. */
function frameModule(writer: Writer, entry: Node, line: number): void {
  const last = writer.region.statements.at(-1) ?? entry;
  writer.insert.open(startOf(entry), enterText(writer, line));
  writer.insert.close(last.end, `;${leaveText(writer)};`);
}

function enterText(writer: Writer, line: number): string {
  const location = writer.locate(line);
  if (keepsHandle(writer)) return `let ${HANDLE}=${CALLS.open}(${location});`;
  return `${isSuspending(writer) ? "let" : "const"} ${DEPTH}=${CALLS.enter}(${location});`;
}

function leaveText({ plan }: Writer): string {
  switch (plan.kind) {
    case "sync":
      return `${CALLS.leave}(${DEPTH})`;
    case "generator":
      return `${DEPTH}=${CALLS.giveUp}(${DEPTH})`;
    case "async":
    case "async-generator":
      return `${CALLS.close}(${HANDLE})`;
  }
}

/** The line that a frame notes when it begins: what its first statement would note before anything else. */
function leadLine(writer: Writer, statement: Node): number {
  const { lines, activities } = writer;
  if (isLoop(statement)) {
    const stored = lines.inLoop(statement);
    const [only] = stored;
    if (only !== undefined && stored.size === 1) return only;
    return activities.lineOf(statement.start);
  }
  switch (statement.type) {
    case "LabeledStatement":
      return leadLine(writer, statement.body);
    case "IfStatement":
      return lines.lineFor(statement, statement.test);
    case "SwitchStatement":
      return lines.lineFor(statement, statement.discriminant);
    case "TryStatement":
    case "BlockStatement":
      return activities.lineOf(statement.start);
    default:
      return lines.lineFor(statement, statement);
  }
}
