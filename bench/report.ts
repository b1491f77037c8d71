// Prints figures as tables that a terminal and a document can show.

/** Printed as it is when text, with few digits when a number. */
export type Cell = string | number;

/** The middle one; of an even number the upper of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The first column to the left, the others to the right. */
export function tableText(title: string, rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(cellText));
  const columns = Math.max(...texts.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(...texts.map((row) => row[at]?.length ?? 0)),
  );
  const lines = texts.map((row) =>
    row.map((text, at) =>
      at === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[at] ?? 0),
    ),
  );
  return [title, ...lines.map((cells) => `  ${cells.join("  ").trimEnd()}`), ""].join("\n");
}

function cellText(cell: Cell): string {
  if (typeof cell === "string") return cell;
  if (cell >= 100) return Math.round(cell).toLocaleString("en");
  return cell.toFixed(cell >= 10 ? 1 : 2);
}
