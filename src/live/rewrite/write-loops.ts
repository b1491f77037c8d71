// Writes into loops: one that notes a single line notes it once, before it, and costs nothing per iteration.
import type { ForInStatement, ForOfStatement, ForStatement } from "oxc-parser";
import { CALLS } from "../../job/wire/names.ts";
import { isAwaitUsing } from "./activity.ts";
import type { Node } from "./syntax.ts";
import { writeExpression } from "./write-expressions.ts";
import { stopText } from "./write-stops.ts";
import {
  resourceText,
  storeBefore,
  storeIn,
  writeAfter,
  writeAlone,
  writeHead,
} from "./write-stores.ts";
import { type Place, parkText, regainText, storeText, type Writer } from "./writer.ts";

/** A loop, and the line that is noted during all of it, or undefined when there are several. */
interface Loop {
  readonly node: Node;
  readonly place: Place;
  readonly only: number | undefined;
}

export function writeLoop(writer: Writer, node: Node, place: Place): void {
  const loop = { node, place, only: onlyLine(writer, node) };
  regainAfterLoop(writer, loop);
  writer.loops += 1;
  switch (node.type) {
    case "ForStatement":
      writeFor(writer, node, loop);
      break;
    case "ForInStatement":
    case "ForOfStatement":
      writeForEach(writer, node, loop);
      break;
    case "WhileStatement":
      begin(writer, loop);
      writeTest(writer, loop, node.test);
      writeBody(writer, node.body, loop);
      break;
    case "DoWhileStatement":
      begin(writer, loop);
      writeBody(writer, node.body, loop);
      writeTest(writer, loop, node.test);
      break;
    default:
  }
  writer.loops -= 1;
  writer.line = isRegained(writer, node) ? undefined : loop.only;
}

/** Also a stream leaves the frame suspended: its last step is one. */
function isRegained({ isShaky }: Writer, node: Node): boolean {
  return isShaky || isStream(node);
}

function isStream(node: Node): boolean {
  return node.type === "ForOfStatement" && node.await;
}

function regainAfterLoop(writer: Writer, { node, place }: Loop): void {
  if (!isRegained(writer, node)) return;
  writeAfter(writer, place, regainText(writer, writer.activities.lineOf(node.start)));
}

/** What runs once at the beginning of a `for` counts too if it takes time on another line. */
function onlyLine({ activities, lines }: Writer, node: Node): number | undefined {
  const own = activities.lineOf(node.start);
  const stored = lines.inLoop(node);
  const [first = own] = stored;
  if (stored.size > 1) return;
  const init = node.type === "ForStatement" ? node.init : null;
  const isOther = init !== null && activities.of(init).calls.size > 0 && first !== own;
  return isOther ? undefined : first;
}

/** Notes the loop before it begins. Where its iterations note several lines, each has to begin with nothing known. */
function begin(writer: Writer, { node, place, only }: Loop): void {
  storeBefore(writer, place, only ?? writer.activities.lineOf(node.start));
  writer.line = only;
}

function writeTest(writer: Writer, { node, only }: Loop, code: Node | null): void {
  if (code === null) return;
  writer.line = only;
  storeIn(writer, code, writer.lines.lineFor(node, code));
  writeHead(writer, code);
}

function writeFor(writer: Writer, node: ForStatement, loop: Loop): void {
  begin(writer, loop);
  writeExpression(writer, node.init);
  writeTest(writer, loop, node.test);
  writeTest(writer, loop, node.update);
  writer.line = loop.only;
  writeBody(writer, node.body, loop);
}

function writeForEach(writer: Writer, node: ForInStatement | ForOfStatement, loop: Loop): void {
  const { node: each, place, only } = loop;
  const own = writer.activities.lineOf(each.start);
  const isBusy = writer.activities.of(node.right).calls.size > 0;
  storeBefore(writer, place, isBusy ? own : (only ?? own));
  if (isStream(node)) watch(writer, node.right, own);
  else if (isBusy && only !== undefined && only !== own) thenStore(writer, node.right, only);
  writeExpression(writer, node.right);
  writeExpression(writer, node.left);
  writer.line = only;
  writer.guards += 1;
  writeEach(writer, node, loop);
  writer.guards -= 1;
}

function writeEach(writer: Writer, node: ForInStatement | ForOfStatement, loop: Loop): void {
  const own = writer.activities.lineOf(node.start);
  const waitsAtEnd = isAwaitUsing(node.left);
  if (!isStream(node) && !waitsAtEnd) {
    writeBody(writer, node.body, loop);
    return;
  }
  writer.line = own;
  const resource = waitsAtEnd ? resourceText(writer, own) : "";
  writeBodyAfter(writer, node.body, `${regainText(writer, own)};${resource}`);
}

/** Of a `for await`: each step parks the frame when the step's promise is made. */
function watch(writer: Writer, right: Node, line: number): void {
  const after = `()=>{${parkText(writer, line)}}`;
  writer.insert.open(right.start, `${CALLS.iterate}(`);
  writer.insert.close(right.end, `,()=>{},${after})`);
}

/** Notes the loop's only line when the iterable has been computed. */
function thenStore(writer: Writer, right: Node, line: number): void {
  if (!writer.storesLines) return;
  writer.insert.open(right.start, `${CALLS.first}(`);
  writer.insert.close(right.end, `,${storeText(writer, line)})`);
}

function writeBody(writer: Writer, body: Node, { node }: Loop): void {
  const stop = stopText(writer, node);
  if (!writer.isShaky) {
    writeBodyAfter(writer, body, stop);
    return;
  }
  const line = writer.activities.lineOf(node.start);
  writer.line = line;
  writeBodyAfter(writer, body, `${regainText(writer, line)};${stop}`);
}

/** Writes a loop's body, and a text at its beginning. */
function writeBodyAfter(writer: Writer, body: Node, text: string): void {
  if (text === "") {
    // Nothing to put there.
  } else if (body.type === "BlockStatement") {
    writer.insert.open(body.start + 1, text);
  } else {
    writer.insert.open(body.start, `{${text}`);
    writer.insert.close(body.end, "}");
  }
  writeAlone(writer, body);
}
