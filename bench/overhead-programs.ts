// The code whose slowdown by the live stack is measured: each is one module, as a job file would be.

export interface Workload {
  readonly name: string;
  /** Most that `lean` may cost, as a ratio to `off`; null: shown without a limit. */
  readonly limit: number | null;
  /** A module that exports `run()`. */
  readonly source: string;
}

const LOOPS = `
export function run() {
  let sum = 0;
  for (let i = 0; i < 60_000_000; i++) sum = (sum + i * 7) | 0;
  let x = 1;
  while (x < 1e15) { x = x * 1.0000004 + 1; }
  return sum + x;
}`;

const TRANSFORMER = `
const rows = Array.from({ length: 2_000 }, (_, i) => ({ id: i, name: "name-" + i, tags: ["a", "b", String(i % 7)], price: i * 1.5, nested: { ok: i % 2 === 0, note: null } }));
const text = JSON.stringify(rows);
function priceOf(row) { return row.nested.ok ? row.price * 1.19 : row.price; }
function transform(row) {
  const tags = row.tags.map((tag) => tag.toUpperCase());
  return { key: row.id + ":" + row.name, tags: tags.join(","), price: Math.round(priceOf(row) * 100) / 100 };
}
export function run() {
  let bytes = 0;
  for (let round = 0; round < 60; round++) {
    const read = JSON.parse(text);
    const groups = {};
    for (const row of read) {
      const made = transform(row);
      (groups[made.tags] ??= []).push(made);
    }
    bytes += JSON.stringify(groups).length;
  }
  return bytes;
}`;

const MACRO_AWAITS = `
function turn() { return new Promise((resolve) => setImmediate(resolve)); }
async function step(i) { await turn(); return i + 1; }
export async function run() {
  let n = 0;
  for (let i = 0; i < 60_000; i++) n = await step(n);
  return n;
}`;

const MICRO_AWAITS = `
async function inner(i) { await null; return i + 1; }
async function outer(i) { const a = await inner(i); return inner(a); }
export async function run() {
  let n = 0;
  for (let i = 0; i < 250_000; i++) n = await outer(n);
  return n;
}`;

const FIB = `
function fib(n) { if (n < 2) return n; return fib(n - 1) + fib(n - 2); }
export function run() { return fib(35); }`;

const OOP = `
class Shape { #w; constructor(w) { this.#w = w; } get width() { return this.#w; } area() { return 0; } grow(by) { this.#w += by; return this; } }
class Square extends Shape { area() { return this.width * this.width; } }
class Circle extends Shape { area() { return Math.PI * this.width * this.width / 4; } }
export function run() {
  const shapes = Array.from({ length: 1_000 }, (_, i) => i % 2 ? new Square(i) : new Circle(i));
  let total = 0;
  for (let round = 0; round < 20_000; round++) for (const shape of shapes) total += shape.grow(0.001).area();
  return total;
}`;

const LEXER = `
class Lexer {
  constructor(text) { this.text = text; this.at = 0; }
  peek() { return this.text.charCodeAt(this.at); }
  next() { return this.text.charCodeAt(this.at++); }
  isDigit(c) { return c >= 48 && c <= 57; }
  isLetter(c) { return (c >= 97 && c <= 122) || c === 95; }
  isSpace(c) { return c === 32 || c === 10; }
  number() { let n = 0; while (this.isDigit(this.peek())) n = n * 10 + this.next() - 48; return { type: "number", value: n }; }
  word() { const start = this.at; while (this.isLetter(this.peek())) this.next(); return { type: "word", value: this.text.slice(start, this.at) }; }
  token() {
    while (this.isSpace(this.peek())) this.next();
    const c = this.peek();
    if (c !== c) return null;
    if (this.isDigit(c)) return this.number();
    if (this.isLetter(c)) return this.word();
    return { type: "mark", value: this.next() };
  }
}
const text = "let total_sum = 12345 + alpha * (beta - 77) ; \\n".repeat(20_000);
export function run() {
  let tokens = 0;
  for (let round = 0; round < 16; round++) { const lexer = new Lexer(text); while (lexer.token() !== null) tokens++; }
  return tokens;
}`;

const MATRIX = `
function multiply(a, b, n) {
  const c = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
    c[i * n + j] = sum;
  }
  return c;
}
export function run() {
  const n = 220;
  const a = Float64Array.from({ length: n * n }, (_, i) => i % 13);
  let c = a;
  for (let round = 0; round < 12; round++) c = multiply(a, c, n).map((value) => value % 97);
  return c[n];
}`;

export const WORKLOADS: readonly Workload[] = [
  { name: "tight numeric loops", limit: 1.1, source: LOOPS },
  { name: "JSON transformer", limit: 1.1, source: TRANSFORMER },
  { name: "awaits that leave the microtask queue", limit: 1.1, source: MACRO_AWAITS },
  { name: "microtask-only awaits", limit: 1.3, source: MICRO_AWAITS },
  { name: "fib", limit: null, source: FIB },
  { name: "OOP", limit: null, source: OOP },
  { name: "lexer, tiny methods", limit: null, source: LEXER },
  { name: "matrix multiply", limit: null, source: MATRIX },
];
