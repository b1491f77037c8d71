// Collects texts to be inserted into a source, none with a newline, and keeps nested ones nested.

import type { Shift } from "../locations.ts";
import type { Lines } from "./lines.ts";

export interface Insertions {
  /** Inserts before what begins at `offset`. */
  open(offset: number, text: string): void;
  /** Inserts after what ends at `offset`. Of two that end there the one added last is the inner one. */
  close(offset: number, text: string): void;
  apply(): { readonly code: string; readonly shifts: Shift[] };
}

interface Insertion {
  readonly offset: number;
  readonly text: string;
  readonly isClose: boolean;
  readonly order: number;
}

export function createInsertions(source: string, lines: Lines): Insertions {
  const list: Insertion[] = [];
  const add = (offset: number, text: string, isClose: boolean) => {
    list.push({ offset, text, isClose, order: list.length });
  };
  return {
    open: (offset, text) => add(offset, text, false),
    close: (offset, text) => add(offset, text, true),
    apply() {
      list.sort(compare);
      const parts: string[] = [];
      const shifts: Shift[] = [];
      let last = 0;
      for (const { offset, text } of list) {
        parts.push(source.slice(last, offset), text);
        last = offset;
        const line = lines.lineOf(offset);
        shifts.push([line, offset - lines.startOf(line) + 1, text.length]);
      }
      parts.push(source.slice(last));
      return { code: parts.join(""), shifts };
    },
  };
}

/** What ends at an offset ends before what begins there. */
function compare(a: Insertion, b: Insertion): number {
  if (a.offset !== b.offset) return a.offset - b.offset;
  if (a.isClose !== b.isClose) return a.isClose ? -1 : 1;
  return a.isClose ? b.order - a.order : a.order - b.order;
}
