// Knows the lines of a source, as engines count them.

export interface Lines {
  /** The line of an offset, from 1. */
  lineOf(offset: number): number;
  /** Where a line begins. */
  startOf(line: number): number;
  /** The column of the first visible character of a line, from 1. */
  columnOf(line: number): number;
}

const LINE_END = /\r\n|[\n\r\u2028\u2029]/g;

export function createLines(source: string): Lines {
  const starts = [0];
  for (const end of source.matchAll(LINE_END)) starts.push(end.index + end[0].length);

  const startOf = (line: number) => starts[line - 1] ?? 0;
  return {
    lineOf(offset) {
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] ?? 0) <= offset) low = middle;
        else high = middle - 1;
      }
      return low + 1;
    },
    startOf,
    columnOf(line) {
      const text = source.slice(startOf(line), starts[line]);
      return Math.max(text.search(/\S/), 0) + 1;
    },
  };
}
