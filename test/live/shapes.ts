// Job files that stand still in every way a job can, each line they may be seen on marked with its function: `//@ f`.

export interface Shape {
  readonly state: "running" | "waiting";
  /** By file name; `main.ts` (or `main.tsx`, `main.js`, …) comes first and is imported; its default export is called. */
  readonly files: Readonly<Record<string, string>>;
}

function running(text: string, name = "main.ts"): Shape {
  return { state: "running", files: { [name]: text } };
}

function waiting(text: string): Shape {
  return { state: "waiting", files: { "main.ts": text } };
}

export const SPINNING: Readonly<Record<string, Shape>> = {
  "for(;;){}": running(`
export default function spin() {
  let n = 0;
  for (;;) {} //@ spin
}`),
  "while with a body": running(`
export default function spin() {
  let n = 0;
  while (true) { //@ spin
    n += 1;
    n ^= 5;
  }
}`),
  "do while": running(`
export default () => {
  let n = 0;
  do { n++; } while (n >= 0); //@ default
}`),
  "for await of nothing but microtasks": running(`
async function tick() { return 1; }
export default async function spin() {
  for (;;) await tick(); //@ spin
}`),
  "nested functions": running(`
export default function outer() {
  function middle() {
    const inner = () => {
      const deepest = function () {
        for (;;); //@ deepest
      };
      return deepest();
    };
    return inner();
  }
  return middle();
}`),
  recursion: running(`
function dive(n: number): number {
  if (n === 0) return 1; //@ dive
  return dive(n - 1) + dive(n - 1); //@ dive
}
export default () => dive(60);`),
  "mutual recursion of small functions": running(`
function ping(n: number): number {
  return n === 0 ? 1 : pong(n - 1) + pong(n - 1); //@ ping
}
function pong(n: number): number { return n === 0 ? 1 : ping(n - 1) + ping(n - 1); } //@ pong
export default () => ping(60);`),
  "a generator": running(`
function* numbers() {
  let n = 0;
  yield n++;
  yield n++;
  while (true) n += 1; //@ numbers
}
export default function run() {
  for (const n of numbers()) String(n);
}`),
  "the consumer of a generator": running(`
function* numbers() { //@ numbers
  for (let n = 0; ; n++) yield n; //@ numbers
}
export default function run() {
  for (const n of numbers()) { //@ run
    String(n); //@ run
  }
}`),
  "yield*": running(`
function* inner() { yield 1; for (;;) {} } //@ inner
function* outer() { yield 0; yield* inner(); }
export default () => { for (const _ of outer()); };`),
  "a method": running(`
class Mailer {
  send() {
    for (;;) {} //@ Mailer.send
  }
}
export default () => new Mailer().send();`),
  "a private method": running(`
export class Mailer {
  #spin(x: number) {
    while (x) x += 2; //@ Mailer.#spin
  }
  send() { this.#spin(1); }
}
export default () => new Mailer().send();`),
  "a static method": running(`
class Mailer {
  static spin() { for (;;) {} } //@ Mailer.spin
}
export default () => Mailer.spin();`),
  "a getter": running(`
class Box { get value() {
  let n = 1;
  while (n) n = -n; //@ Box.value
  return n;
} }
export default () => new Box().value;`),
  "a getter of an object": running(`
const box = { get value() { for (;;) {} } }; //@ value
export default () => box.value;`),
  "a setter": running(`
const box = { set value(x: number) { for (;;) x++; } }; //@ value
export default () => { box.value = 1; };`),
  "a constructor": running(`
class A { constructor() { for (;;) {} } } //@ A.constructor
export default () => new A();`),
  "a derived constructor": running(`
class A {}
class B extends A {
  constructor(readonly x = 1) {
    super();
    for (;;) this.x; //@ B.constructor
  }
}
export default () => new B();`),
  "a class field": running(`
function make() { let n = 1; while (n) n ^= 2; return n; } //@ make
class A { x = make(); }
export default () => new A();`),
  "a static block": running(`
export default () => class A { static { for (;;) {} } }; //@ A.(static)`),
  "an arrow body": running(`
const spin = () => JSON.parse(text).length; //@ spin
const text = JSON.stringify(Array.from({ length: 1e5 }, (_, n) => n));
export default function run() {
  for (;;) spin(); //@ run
}`),
  "an arrow function without a name": running(`
export default () => [1].forEach(() => {
  for (;;) {} //@ (anonymous)
});`),
  "a sort callback": running(`
const work = (n: number) => { let x = n; for (let i = 0; i < 1e9; i++) x ^= i; return x; }; //@ work
export default function run() {
  const list = [3, 1, 2, 5, 4];
  for (;;) {
    list.sort((a, b) => work(a) - work(b)); //@ (anonymous) | run
  }
}`),
  "a map callback": running(`
export default function run() {
  [1, 2].map((n) => {
    while (n) n += 1; //@ (anonymous)
    return n;
  });
}`),
  "a regex in a loop": running(`
export default function run() {
  const text = "a".repeat(24) + "!";
  let n = 0;
  for (;;) {
    n += 1;
    /^(a+)+$/.test(text); //@ run
  }
}`),
  "JSON.parse in a loop": running(`
const text = JSON.stringify(Array.from({ length: 3e5 }, (_, n) => ({ n })));
export default function run() {
  for (;;) {
    const parsed = JSON.parse(text) as unknown[]; //@ run
    if (parsed.length === 0) break;
  }
}`),
  "two calls in a loop": running(`
const text = JSON.stringify(Array.from({ length: 2e5 }, (_, n) => n));
export default function run() {
  for (;;) {
    const parsed = JSON.parse(text) as number[]; //@ run
    JSON.stringify(parsed); //@ run
  }
}`),
  "a module's top level": running(`
export const a = 1;
let n = 0;
for (;;) n++; //@ (module)
export default () => n;`),
  "the top level of an imported file": {
    state: "running",
    files: {
      "main.ts": `import { x } from "./other.ts";\nexport default () => x;`,
      "other.ts": "export const x = 1;\nwhile (x) {} //@ (module)",
    },
  },
  "an imported file": {
    state: "running",
    files: {
      "main.ts": `import { spin } from "./lib/other.js";\nexport default () => spin(1);`,
      "lib/other.js":
        "const more = 1;\nexport function spin(n) {\n  while (n) n += more; //@ spin\n}",
    },
  },
  "what a CommonJS file calls": {
    state: "running",
    files: {
      "main.ts": `import legacy, { call } from "./legacy.js";
export default () => {
  legacy.call(() => call(() => {
    for (;;) {} //@ (anonymous)
  }));
};`,
      "legacy.js": "exports.call = (done) => done();\nexports.name = __filename;",
    },
  },
  "a file that is imported later": {
    state: "running",
    files: {
      "main.ts": `export default async () => { const { spin } = await import("./later.ts"); spin(); };`,
      "later.ts": "export const spin = () => {\n  for (;;) {} //@ spin\n};",
    },
  },
  "an async function after several awaits": running(`
const tick = () => new Promise((done) => setTimeout(done, 1));
export default async function run() {
  await tick();
  for (const _ of [1, 2]) await tick();
  try { await Promise.reject(new Error("x")); } catch { await tick(); }
  let n = 0;
  while (true) n += 1; //@ run
}`),
  "an async function called by another": running(`
const tick = () => new Promise((done) => setTimeout(done, 1));
async function inner() {
  await tick();
  for (;;) {} //@ inner
}
export default async function run() {
  await inner();
}`),
  "an async generator": running(`
async function* numbers() { yield 1; await null; for (;;) {} } //@ numbers
export default async () => { for await (const _ of numbers()); };`),
  "the body of a for await": running(`
async function* numbers() { yield 1; await null; yield 2; }
export default async function run() {
  for await (const n of numbers()) {
    if (n === 2) for (;;) {} //@ run
  }
}`),
  "a timer's callback": running(`
export default () => new Promise(() => {
  setTimeout(() => {
    for (;;) {} //@ (anonymous)
  }, 1);
});`),
  "catch and finally": running(`
export default function run() {
  try {
    throw new Error("x");
  } catch {
    try { String(1); } finally {
      for (;;) {} //@ run
    }
  }
}`),
  "a switch in a labelled loop": running(`
export default function run() {
  let n = 0;
  out: for (;;) { //@ run
    switch (n % 3) {
      case 0:
        n++;
        continue out;
      default:
        n++;
    }
  }
}`),
  "nested loops": running(`
export default function run() {
  let n = 0;
  for (;;) {
    for (let i = 0; i < 1e9; i++) { //@ run
      n ^= i;
    }
  }
}`),
  "a tagged template": running(`
const tag = (parts: TemplateStringsArray) => { for (;;) parts.length; }; //@ tag
export default () => tag\`x\`;`),
  "a proxy's trap": running(`
const box = new Proxy({}, { get() { for (;;) {} } }) as { x: number }; //@ get
export default () => box.x;`),
  "enums, decorators and types before the line": running(`
enum Color { Red, Green = "g" }
interface Thing<T> { readonly value: T }
function log(value: unknown, _context: unknown) { return value as never; }
type Big = {
  [K in keyof Thing<string>]: K;
};
@log class Service {
  constructor(private readonly color: Color = Color.Red) {}
  @log spin<T>(x: T): asserts x is T & {} {
    const shown = \`
      \${this.color} over
      lines\`;
    for (;;) shown.length; //@ Service.spin
  }
}
export default () => { const service: Service = new Service(); service.spin(1); };`),
  TSX: running(
    `
/** @jsxRuntime classic @jsx h */
const h = (tag: string, props: object | null, ...kids: unknown[]) => ({ tag, props, kids });
declare global { namespace JSX { interface IntrinsicElements { [name: string]: object } } }
export default function run() {
  const page = (
    <div title="x">
      {[1, 2].map((n) => <b key={n}>{n}</b>)}
    </div>
  );
  for (;;) page.kids; //@ run
}`,
    "main.tsx",
  ),
  "a byte order mark and Windows line ends": running(
    "\uFEFFconst a = `x\r\ny`;\r\nexport default function run() {\r\n  let n = a.length;\r\n  while (n) n = -n; //@ run\r\n}\r\n",
  ),
  JavaScript: running(
    `
export default class Job { static run = () => { for (;;) {} } } //@ Job.run
Job.run();`,
    "main.mjs",
  ),
};

export const WAITING: Readonly<Record<string, Shape>> = {
  "a sleep": waiting(`
import { setTimeout as sleep } from "node:timers/promises";
export default async function run() {
  const before = 1;
  await sleep(60_000, before); //@ run
}`),
  "a sleep in a called function": waiting(`
import { setTimeout as sleep } from "node:timers/promises";
async function nap() {
  await sleep(60_000); //@ nap
}
export default async () => { await nap(); };`),
  "a fetch": waiting(`
export default async function run() {
  await fetch(process.env["SILENT_URL"] ?? ""); //@ run
}`),
  "a fetch's body": waiting(`
export default async function run() {
  const response = await fetch(process.env["DRIPPING_URL"] ?? "");
  const text = await response.text(); //@ run
  return text;
}`),
  "a promise that never settles": waiting(`
export default async () => {
  await new Promise(() => {}); //@ default
};`),
  "a promise that is returned": waiting(`
export default () => {
  return new Promise(() => {}); //@ default
};`),
  "a stream": waiting(`
import { PassThrough } from "node:stream";
import { once } from "node:events";
export default async function run() {
  const stream = new PassThrough();
  stream.write("x");
  await once(stream, "readable");
  await once(stream, "end"); //@ run
}`),
  "for await": waiting(`
import { PassThrough } from "node:stream";
export default async function run() {
  const stream = new PassThrough();
  stream.write("x");
  for await (const chunk of stream) { //@ run
    String(chunk);
  }
}`),
  "for await of an async generator": waiting(`
async function* numbers() {
  yield 1;
  await new Promise(() => {}); //@ numbers
}
export default async function run() {
  for await (const n of numbers()) String(n);
}`),
  "a catch and a finally": waiting(`
export default async function run() {
  try { await Promise.reject(new Error("x")); } catch { await null; } finally {
    await new Promise(() => {}); //@ run
  }
}`),
  "the top level": waiting(`
await null;
await new Promise(() => {}); //@ (module)
export default () => 1;`),
  "the end of await using": waiting(`
export default async function run() {
  {
    await using x = { [Symbol.asyncDispose]: () => new Promise<void>(() => {}) }; //@ run
    String(x);
  }
}`),
};

/** These need the `ctx` of an attempt, which their default export is given. */
export const WAITING_IN_CTX: Readonly<Record<string, Shape>> = {
  "ctx.sleep": waiting(`
export default async function run(ctx) {
  await ctx.sleep(1);
  await ctx.sleep(60_000); //@ run
}`),
  "ctx.fetch": waiting(`
export default async function run(ctx) {
  await ctx.fetch(process.env["SILENT_URL"] ?? ""); //@ run
}`),
  "a step": waiting(`
export default async function run(ctx) {
  await ctx.step("outer", () => ctx.step("inner", async () => {
    await new Promise(() => {}); //@ (anonymous)
  }));
}`),
  "Promise.all": waiting(`
async function item(n: number) {
  await new Promise(() => {}); //@ item
}
async function other() {
  await new Promise(() => {});
}
export default async function run() {
  await Promise.all([item(1), item(2), item(3), other()]);
}`),
};
