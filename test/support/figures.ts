// Prints the size figures of the code (`bun run figures`) and fails when src breaks a limit.
import { type FunctionSize, functionSizes } from "./function-sizes.ts";
import { importCycles } from "./import-cycles.ts";
import { readSourceFiles, type SourceFile } from "./source-files.ts";

/** In lines; a closure is a function named `createX`: a small world of its own. */
const limits = { fn: 60, closureOwn: 60, closure: 150, p95: 35, file: 300 } as const;

type Figures = {
  readonly folder: string;
  readonly files: readonly SourceFile[];
  readonly functions: readonly FunctionSize[];
  readonly cycles: readonly string[][];
};

function measure(folder: string): Figures {
  const files = readSourceFiles(folder);
  return { folder, files, functions: files.flatMap(functionSizes), cycles: importCycles(files) };
}

function print({ folder, files, functions, cycles }: Figures): void {
  const longestFile = longest(files.map((file) => ({ name: file.path, lines: fileLines(file) })));
  const longestFn = longest(functions.filter((fn) => !isClosure(fn)).map(labelled));
  const longestClosure = longest(functions.filter(isClosure).map(labelled));
  console.log(`${folder}: ${files.length} files, ${functions.length} functions`);
  console.log(`  lines per function   p95 ${p95(functions)}, max ${longestFn}`);
  console.log(`  createX closures     max ${longestClosure}`);
  console.log(`  lines per file       max ${longestFile}`);
  console.log(`  import cycles        ${cycles.length}`);
}

/** Every broken limit as one line that names the place and the size. */
export function brokenLimits({ folder, files, functions, cycles }: Figures): string[] {
  const broken = functions.flatMap(brokenBy);
  for (const file of files) {
    const lines = fileLines(file);
    if (lines > limits.file) broken.push(`${file.path}:1 has ${lines} lines, limit ${limits.file}`);
  }
  for (const cycle of cycles) broken.push(`import cycle: ${cycle.join(", ")}`);
  const share = p95(functions);
  if (share > limits.p95) broken.push(`${folder}: p95 is ${share} lines, limit ${limits.p95}`);
  return broken;
}

function brokenBy(fn: FunctionSize): string[] {
  const place = `${fn.path}:${fn.line} ${fn.name}`;
  if (!isClosure(fn)) {
    return fn.lines > limits.fn ? [`${place} has ${fn.lines} lines, limit ${limits.fn}`] : [];
  }
  const broken: string[] = [];
  if (fn.lines > limits.closure) {
    broken.push(`${place} has ${fn.lines} lines, limit ${limits.closure} for a closure`);
  }
  if (fn.ownLines > limits.closureOwn) {
    broken.push(`${place} has ${fn.ownLines} own lines, limit ${limits.closureOwn}`);
  }
  return broken;
}

function isClosure(fn: FunctionSize): boolean {
  return /^create[A-Z]/.test(fn.name) && fn.ownLines < fn.lines;
}

/** One-line callbacks are left out (they would flatter); a closure counts with its own lines. */
function p95(functions: readonly FunctionSize[]): number {
  const sizes = functions
    .filter((fn) => fn.lines > 1 || fn.name !== "(anonymous)")
    .map((fn) => (isClosure(fn) ? fn.ownLines : fn.lines))
    .sort((a, b) => a - b);
  return sizes[Math.ceil(sizes.length * 0.95) - 1] ?? 0;
}

function labelled(fn: FunctionSize): { name: string; lines: number } {
  return { name: `${fn.path}:${fn.line} ${fn.name}`, lines: fn.lines };
}

function longest(sized: readonly { name: string; lines: number }[]): string {
  const [first] = sized.toSorted((a, b) => b.lines - a.lines);
  return first === undefined ? "0" : `${first.lines} (${first.name})`;
}

function fileLines(file: SourceFile): number {
  return file.text.replace(/\n$/, "").split("\n").length;
}

if (import.meta.main) {
  const source = measure("src");
  print(source);
  print(measure("test"));
  const broken = brokenLimits(source);
  for (const line of broken) console.error(line);
  process.exitCode = broken.length > 0 ? 1 : 0;
}
