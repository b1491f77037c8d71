// Writes what an expression needs: around each await and yield the frame leaves the stack and comes back.
import type { AwaitExpression, YieldExpression } from "oxc-parser";
import { CALLS, DEPTH, HANDLE } from "../../job/wire/names.ts";
import { isSuspension } from "./activity.ts";
import { type Node, ownChildrenOf, walkOwn } from "./syntax.ts";
import { parkText, regainText, type Writer } from "./writer.ts";

/** Writes into all of an expression that runs on the frame of its region. */
export function writeExpression(writer: Writer, node: Node | null): void {
  if (node === null) return;
  if (node.type === "AwaitExpression") writeAwait(writer, node);
  if (node.type === "YieldExpression") writeYield(writer, node);
  for (const child of ownChildrenOf(node)) writeExpression(writer, child);
}

/** An await after which the function does nothing more in which time passes: it need not come back. */
export function writeTail(writer: Writer, node: Node, last: AwaitExpression): void {
  if (node !== last) {
    if (node.type === "AwaitExpression") writeAwait(writer, node);
  } else {
    around(writer, last.argument, parkText(writer, writer.activities.lineOf(last.start)));
  }
  for (const child of ownChildrenOf(node)) writeTail(writer, child, last);
}

/** The await in the code after which no time passes in it. */
export function lastAwait({ activities }: Writer, code: Node): AwaitExpression | null {
  const waits: AwaitExpression[] = [];
  const busy: Node[] = [];
  walkOwn(code, (node) => {
    if (node.type === "AwaitExpression") waits.push(node);
    if (isSuspension(node) || activities.isCall(node)) busy.push(node);
  });
  const last = waits.reduce<AwaitExpression | null>(
    (a, b) => (a !== null && a.end >= b.end ? a : b),
    null,
  );
  if (last === null) return null;
  return busy.some((node) => node !== last && node.end > last.end) ? null : last;
}

/** `await X` → `first(await first(X, park), resume)`. */
function writeAwait(writer: Writer, { start, end, argument }: AwaitExpression): void {
  const line = writer.activities.lineOf(start);
  const resumed =
    writer.plan.kind === "async"
      ? `${HANDLE}=${CALLS.resume}(${HANDLE},${writer.locate(line)})`
      : regainText(writer, line);
  around(writer, { start, end }, resumed);
  around(writer, argument, parkText(writer, line));
}

function writeYield(writer: Writer, node: YieldExpression): void {
  const line = writer.activities.lineOf(node.start);
  if (node.delegate && node.argument !== null) {
    writeDelegate(writer, node, node.argument);
    return;
  }
  around(writer, node, regainText(writer, line));
  const leave =
    writer.plan.kind === "generator"
      ? `${DEPTH}=${CALLS.giveUp}(${DEPTH})`
      : `${HANDLE}=${CALLS.close}(${HANDLE})`;
  if (node.argument === null) {
    writer.insert.close(node.end, ` ${CALLS.first}(void 0,${leave})`);
    return;
  }
  around(writer, node.argument, leave);
}

/** `yield* X`: the frame is on the stack during each step of X, and nowhere between them. */
function writeDelegate(writer: Writer, node: YieldExpression, argument: Node): void {
  const line = writer.activities.lineOf(node.start);
  const isSync = writer.plan.kind === "generator";
  const before = `()=>{${regainText(writer, line)}}`;
  const after = isSync
    ? `()=>{${DEPTH}=${CALLS.giveUp}(${DEPTH})}`
    : `()=>{${parkText(writer, line)}}`;
  around(writer, node, regainText(writer, line));
  writer.insert.open(argument.start, `${isSync ? CALLS.iterateSync : CALLS.iterate}(`);
  writer.insert.close(argument.end, `,${before},${after})`);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Evaluates `then` after the expression, and hands on the expression's value. */
function around({ insert }: Writer, { start, end }: Span, then: string): void {
  insert.open(start, `${CALLS.first}(`);
  insert.close(end, `,${then})`);
}
