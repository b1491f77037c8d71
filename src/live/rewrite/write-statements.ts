// Writes into the statements of a region: notes a line before what takes time, where it is not noted already.
import type {
  AwaitExpression,
  BlockStatement,
  IfStatement,
  SwitchStatement,
  TryStatement,
} from "oxc-parser";
import { CALLS } from "../../job/wire/names.ts";
import { isAwaitUsing } from "./activity.ts";
import type { Node } from "./syntax.ts";
import { lastAwait, writeExpression, writeTail } from "./write-expressions.ts";
import { writeLoop } from "./write-loops.ts";
import { stopAfterBigInt } from "./write-stops.ts";
import {
  placeOf,
  regainAfter,
  resourceText,
  storeBefore,
  storeIn,
  writeAlone,
  writeHead,
} from "./write-stores.ts";
import { isSuspending, type Place, parkText, regainText, type Writer } from "./writer.ts";

export function writeStatements(writer: Writer, statements: readonly Node[]): void {
  for (const statement of statements) {
    writer.write(statement, placeOf(statement, false));
  }
}

export function writeStatement(writer: Writer, node: Node, place: Place): void {
  switch (node.type) {
    case "ForStatement":
    case "ForInStatement":
    case "ForOfStatement":
    case "WhileStatement":
    case "DoWhileStatement":
      writeLoop(writer, node, place);
      break;
    case "BlockStatement":
      writeBlock(writer, node);
      break;
    case "TSModuleBlock":
      writeStatements(writer, node.body);
      break;
    case "TSModuleDeclaration":
      writeInner(writer, node.body, place);
      break;
    case "ExportNamedDeclaration":
      writeInner(writer, node.declaration, place);
      break;
    case "IfStatement":
      writeIf(writer, node);
      break;
    case "SwitchStatement":
      regainAfter(writer, node, place);
      writeSwitch(writer, node);
      break;
    case "TryStatement":
      writeTry(writer, node);
      break;
    case "LabeledStatement":
      regainAfter(writer, node, place);
      writer.write(node.body, place);
      writer.line = undefined;
      break;
    case "FunctionDeclaration":
      break;
    default:
      writeSimple(writer, node, place);
  }
}

/** What stands in for the statement around it. */
function writeInner(writer: Writer, inner: Node | null, place: Place): void {
  if (inner !== null) writer.write(inner, place);
}

function writeSimple(writer: Writer, node: Node, place: Place): void {
  const { calls, suspensions } = writer.activities.of(node);
  if (calls.size > 0) storeBefore(writer, place, writer.lines.lineFor(node, node));
  stopAfterBigInt(writer, node, place);
  const tail = suspensions.size > 0 ? tailAwait(writer, node) : null;
  if (tail === null) {
    parkAtReturn(writer, node);
    parkAtEnd(writer, node);
    writeExpression(writer, node);
  } else {
    writeTail(writer, node, tail);
  }
  const [line] = suspensions;
  if (line !== undefined && (suspensions.size > 1 || line !== writer.line)) writer.line = undefined;
}

/** The last await of a `return`, or of the last busy statement, if all that is left after it is to leave. */
function tailAwait(writer: Writer, node: Node): AwaitExpression | null {
  if (writer.plan.kind !== "async" || writer.guards > 0) return null;
  const isLast = node.type === "ReturnStatement" || node === writer.lastActive;
  return isLast ? lastAwait(writer, node) : null;
}

/** `return X` of an async generator awaits X. */
function parkAtReturn(writer: Writer, node: Node): void {
  if (writer.plan.kind !== "async-generator") return;
  if (node.type !== "ReturnStatement" || node.argument === null) return;
  const line = writer.activities.lineOf(node.start);
  writer.insert.open(node.argument.start, `${CALLS.first}(`);
  writer.insert.close(node.argument.end, `,${parkText(writer, line)})`);
}

/** `await using` awaits at the end of its block: what is declared after it is disposed of just before that. */
function parkAtEnd(writer: Writer, node: Node): void {
  if (!isAwaitUsing(node)) return;
  writer.insert.close(node.end, `;${resourceText(writer, writer.activities.lineOf(node.start))}`);
}

function writeBlock(writer: Writer, node: BlockStatement): void {
  const waitsAtEnd = node.body.some(isAwaitUsing);
  if (waitsAtEnd) {
    const line = writer.activities.lineOf(node.start);
    writer.insert.open(node.start, "{");
    writer.insert.close(node.end, `${regainText(writer, line)};}`);
  }
  writeStatements(writer, node.body);
  if (waitsAtEnd) writer.line = undefined;
}

function writeIf(writer: Writer, node: IfStatement): void {
  storeIn(writer, node.test, writer.lines.lineFor(node, node.test));
  writeHead(writer, node.test);
  const before = writer.line;
  writeAlone(writer, node.consequent);
  const afterThen = isLeft(node.consequent) ? undefined : { line: writer.line };
  writer.line = before;
  if (node.alternate !== null) writeAlone(writer, node.alternate);
  const afterElse =
    node.alternate !== null && isLeft(node.alternate) ? undefined : { line: writer.line };
  writer.line = meet(afterThen ?? afterElse, afterElse ?? afterThen);
}

type Way = { readonly line: number | undefined } | undefined;

function meet(one: Way, other: Way): number | undefined {
  return one?.line === other?.line ? one?.line : undefined;
}

/** True when nothing after the statement is reached from its end. */
function isLeft(statement: Node): boolean {
  switch (statement.type) {
    case "ReturnStatement":
    case "ThrowStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return true;
    case "BlockStatement":
      return statement.body.some(isLeft);
    default:
      return false;
  }
}

function writeSwitch(writer: Writer, node: SwitchStatement): void {
  const tests = node.cases.map((it) => it.test);
  storeIn(writer, node.discriminant, writer.lines.lineFor(node, node.discriminant));
  for (const code of [node.discriminant, ...tests]) writeHead(writer, code);
  const before = writer.line;
  const stored = writer.lines.of(node);
  for (const { consequent } of node.cases) {
    writer.line = lineAfter(stored, before);
    writeStatements(writer, consequent);
  }
  writer.line = writer.isShaky ? undefined : lineAfter(stored, before);
}

/** What is noted after several ways that all note the same line, if they note one. */
function lineAfter(stored: ReadonlySet<number>, before: number | undefined): number | undefined {
  const isSame =
    stored.size === 0 || (stored.size === 1 && before !== undefined && stored.has(before));
  return isSame ? before : undefined;
}

function writeTry(writer: Writer, node: TryStatement): void {
  const after = lineAfter(writer.lines.of(node), writer.line);
  writer.guards += 1;
  writeBlock(writer, node.block);
  if (node.handler !== null) {
    writer.line = after;
    writeBack(writer, node.handler.body, node.handler.start);
  }
  if (node.finalizer !== null) {
    writer.line = after;
    if (isSuspending(writer)) writeBack(writer, node.finalizer, node.finalizer.start);
    else writeBlock(writer, node.finalizer);
  }
  writer.guards -= 1;
  writer.line = after;
}

/** A block that is entered from anywhere: it puts the frame right first. */
function writeBack(writer: Writer, body: BlockStatement, offset: number): void {
  const line = writer.activities.lineOf(offset);
  writer.insert.open(body.start + 1, `${regainText(writer, line)};`);
  if (isSuspending(writer)) writer.line = line;
  writeBlock(writer, body);
}
