// The small texts that go before, into and after statements.
import { CALLS, RESOURCE } from "../../job/wire/names.ts";
import { type Node, startOf } from "./syntax.ts";
import { writeExpression } from "./write-expressions.ts";
import { type Place, parkText, regainText, storeText, type Writer } from "./writer.ts";

/** The body of an `if` or a loop. */
export function writeAlone(writer: Writer, statement: Node): void {
  writer.write(statement, placeOf(statement, true));
}

export function placeOf(statement: Node, isAlone: boolean): Place {
  return { start: startOf(statement), end: statement.end, isAlone };
}

/** Notes a line before a statement. */
export function storeBefore(writer: Writer, place: Place, line: number): void {
  if (!writer.storesLines || writer.line === line) return;
  writer.line = line;
  writer.insert.open(place.start, `${place.isAlone ? "{" : ""}${storeText(writer, line)};`);
  if (place.isAlone) writer.insert.close(place.end, "}");
}

/** Notes a line just before an expression is evaluated, where a comma may stand. */
export function storeIn(writer: Writer, code: Node | null, line: number): void {
  if (code === null || !writer.storesLines || writer.line === line) return;
  if (writer.activities.of(code).calls.size === 0) return;
  writer.line = line;
  writer.insert.open(code.start, `${storeText(writer, line)},`);
}

/** After what may have been left with the frame suspended. Comes before all that is written inside. */
export function regainAfter(writer: Writer, node: Node, place: Place): void {
  if (!writer.isShaky) return;
  writeAfter(writer, place, regainText(writer, writer.activities.lineOf(node.start)));
}

/** Like all that ends at one offset, the outer text is written first. */
export function writeAfter({ insert }: Writer, place: Place, text: string): void {
  if (place.isAlone) insert.open(place.start, "{");
  insert.close(place.end, `;${text}${place.isAlone ? "}" : ";"}`);
}

/** A head with an await or yield leaves the noted line unknown. */
export function writeHead(writer: Writer, code: Node | null): void {
  if (code === null) return;
  writeExpression(writer, code);
  if (writer.activities.of(code).suspensions.size > 0) writer.line = undefined;
}

export function resourceText(writer: Writer, line: number): string {
  writer.resources += 1;
  return `using ${RESOURCE}${writer.resources}=${CALLS.atDispose}(()=>{${parkText(writer, line)}});`;
}
