// Where in a source file something is wrong, as editors and terminals take it: FILE:LINE:COLUMN.
import { fileURLToPath } from "node:url";

/** Line and column count from 1. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** False: the column is that of the rewritten source, if there is one. */
  readonly isAsWritten: boolean;
}

/** The path or URL at the end of a frame, also in brackets. */
const FRAME_PLACE = /((?:file:\/\/)?\/[^()]+?):(\d+):(\d+)\)?$/;

/** The innermost frame of a stack in a file under `folder`, packages left out. */
export function placeInStack(stack: string, folder: string): SourcePlace | undefined {
  for (const frame of stack.split("\n")) {
    const place = placeAt(frame);
    if (place?.file.startsWith(`${folder}/`) && !place.file.includes("/node_modules/"))
      return place;
  }
  return;
}

/** The place that a line of text ends with. */
export function placeAt(text: string): SourcePlace | undefined {
  const [last = ""] = text.trimEnd().split("\n").slice(-1);
  // A message may quote other paths before.
  const end = last.slice(Math.max(0, last.lastIndexOf("file://")));
  const [, file, line, column] = FRAME_PLACE.exec(end) ?? [];
  if (file === undefined) return;
  const path = file.startsWith("file:") ? pathOfUrl(file) : file;
  return { file: path, line: Number(line), column: Number(column), isAsWritten: false };
}

/** `message` with its place behind it, where that is known. */
export function withPlace(message: string, place: SourcePlace | undefined): string {
  return place === undefined ? message : `${message} (${place.file}:${place.line}:${place.column})`;
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url.slice("file://".length);
  }
}
