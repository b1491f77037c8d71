// Small modules, one per thing that instrumenting must not change; `log` notes a value, and is checked for its line.

/** By name. `log(value)` notes one; each call of it stands on the line on which its statement begins. */
export const SNIPPETS: Readonly<Record<string, string>> = {
  "loops of every kind": `
for (let i = 0; i < 3; i++) log(i);
for (let i = 0, n = 2; i < n; i++) {
  log(i);
  log(-i);
}
let k = 3;
while (k--) log(k);
do log(k); while (k++ < 1);
for (const x of [1, 2]) { log(x); }
for (const key in { a: 1, b: 2 }) log(key);
for (;;) break;
for (const [a, { b = 5 }] of [[1, {}], [2, { b: 3 }]] as any) log(a + b);`,

  "labelled loops": `
outer: for (let i = 0; i < 4; i++) {
  inner: for (let j = 0; j < 4; j++) {
    if (j === 1) continue inner;
    if (j === 3) continue outer;
    if (i === 3) break outer;
    log([i, j]);
  }
  log("never");
}
block: {
  log("in");
  if (k()) break block;
  log("never");
}
a: b: while (true) { log("two labels"); break a; }
if (true) c: for (;;) { log("alone"); break c; } else log("no");
function k() { return true; }
log("out");`,

  "closures in loops": `
const all: (() => number)[] = [];
for (let i = 0; i < 3; i++) { all.push(() => { log(i); return i; }); }
for (const x of [7, 8]) all.push(() => x * make());
function make() { return [1].map((y) => y + 1)[0]!; }
for (const f of all) log(f());`,

  switch: `
function pick(x: unknown) {
  switch (x) {
    case 1:
      log("one");
    case 2: {
      log("two");
      break;
    }
    case value():
      return "computed";
    default:
      log("default");
      break;
    case 4: log("four");
  }
  log("after");
}
function value() { log("asked"); return 9; }
for (const x of [1, 2, 3, 4, 9]) log(pick(x));
switch (log(1), 5) { case 5: let y = 2; log(y); }`,

  "if and else without braces": `
function f(x: number) {
  if (x === 1) log("1");
  else if (x === 2) log("2"); else if (g(x)) log("3")
  else log("other")
  if (x) return log("r"); else return log("e");
}
const g = (x: number) => [x].includes(3);
for (const x of [0, 1, 2, 3]) f(x);
if (g(3)) for (const x of [1, 2]) if (x > 1) log(x); else log(-x);`,

  "try, catch and finally": `
function f(how: string): string {
  try {
    log("try " + how);
    if (how === "throw") throw new Error("thrown");
    if (how === "return") return "returned";
    log("not left");
  } catch (error) {
    log((error as Error).message);
    return "caught";
  } finally {
    log("finally");
    if (how === "override") return "overridden";
  }
  return "end";
}
for (const how of ["throw", "return", "override", "fall"]) log(f(how));
function g() { try { throw 1; } catch { log("no binding"); } }
g();
function loop() {
  for (let i = 0; i < 3; i++) {
    try { if (i === 1) continue; log(i); if (i === 2) break; } finally { log("f" + i); }
  }
}
loop();
function nested() { try { try { h(); } finally { log("inner"); } } catch (e) { log(e); } }
function h() { throw "deep"; }
nested();`,

  "errors leave the depth right": `
function deep(n: number): number { if (n === 0) throw new Error("bottom"); return deep(n - 1) + 1; }
function outer() {
  try { deep(20); } catch (e) { log((e as Error).message); }
  log("still here");
}
outer();
[1, 2].forEach((x) => { try { deep(x); } catch { log(x); } });
log("end");`,

  "a stack overflow": `
function dive(n: number): number { return dive(n + 1) + 1; }
function outer() {
  try { dive(0); } catch (e) { log(e instanceof RangeError); }
  log("after");
}
outer();
log("end");`,

  recursion: `
const fib = (n: number): number => n < 2 ? n : fib(n - 1) + fib(n - 2);
function even(n: number): boolean { if (n === 0) return true; return odd(n - 1); }
function odd(n: number): boolean { if (n === 0) return false; return even(n - 1); }
log(fib(12));
log(even(101));
const walk = (tree: any): number => tree.children.reduce((sum: number, it: any) => sum + walk(it), tree.n);
log(walk({ n: 1, children: [{ n: 2, children: [] }, { n: 3, children: [{ n: 4, children: [] }] }] }));`,

  "early returns and what is declared after them": `
let outside = "outer";
function late(x: number) {
  if (x > 1) return "early";
  const read = () => inside;
  let inside = "inner";
  log(read());
  return inside;
}
log(late(2));
log(late(1));
function dead(x: boolean) {
  if (x) return typeof hoisted;
  function hoisted() { return 1; }
  log(hoisted());
  return hoisted();
}
log(dead(true));
log(dead(false));
function tdz() {
  try { return (() => outside)(); } finally { log("f"); }
  let outside = 1;
}
try { tdz(); } catch (e) { log((e as Error).name); }
function tdz2(x: boolean) {
  if (x) outside;
  log("not reached");
  const outside = 1;
  return outside;
}
try { tdz2(true); } catch (e) { log((e as Error).name); }
function varred() { log(typeof x); var x = 1; log(x); { var y = 2; } return x + y; }
log(varred());`,

  "hoisting across the module": `
log(hoisted());
function hoisted() { return [3].map((x) => x + base())[0]; }
function base() { return 1; }
export { hoisted };
export const named = hoisted();
log(named);`,

  generators: `
function* count(n: number) {
  log("begin");
  for (let i = 0; i < n; i++) {
    const got = yield i;
    log(["got", got]);
  }
  return "done";
}
const it = count(2);
log(it.next());
log(it.next("a"));
log(it.next("b"));
log(it.next());
log([...count(2)]);
const [first, second] = count(5) as any;
log([first, second]);
function* both() { log("x"); const a = yield* count(1); log(a); yield yield 5; yield; const b = yield
  log(b); }
const bb = both();
for (let i = 0; i < 7; i++) log(bb.next(i));`,

  "generators thrown into and returned from": `
function* careful() {
  try {
    log("try");
    yield 1;
    log("not after throw");
  } catch (e) {
    log(["caught", e]);
    yield 2;
    log("after 2");
  } finally {
    log("finally");
    yield 3;
    log("end of finally");
  }
  return 4;
}
let g = careful();
log(g.next());
log(g.throw("boom"));
log(g.next());
log(g.next());
g = careful();
log(g.next());
log(g.return(9 as any));
log(g.next());
log(g.next());
g = careful();
try { g.throw("early"); } catch (e) { log(e); }
g = careful();
log(g.return(8 as any));
function* bare() { yield 1; }
const b = bare();
b.next();
try { b.throw(new Error("bare")); } catch (e) { log((e as Error).message); }
for (const x of careful()) { log(x); if (x === 1) break; }
log("left");`,

  "yield* of everything": `
function* inner() { try { const x = yield 1; log(["x", x]); yield 2; } finally { log("inner closed"); } return "r"; }
function* outer() { const r = yield* inner(); log(r); yield* [10, 11]; yield* "ab"; yield* new Set([5]); }
log([...outer()]);
const o = outer();
log(o.next("ignored"));
log(o.next("sent"));
log(o.return(77 as any));
const t = outer();
t.next();
try { t.throw(new Error("in")); } catch (e) { log((e as Error).message); }
function* bad() { yield* 5 as any; }
try { bad().next(); } catch (e) { log((e as Error).name); }
const log2 = (x: unknown) => log(x);
const odd = { [Symbol.iterator]() { log("iterator"); return { get next() { log("get next"); return () => { log("next"); return { value: 1, done: n++ > 1 }; }; } }; } };
let n = 0;
function* overOdd() { yield* odd; log2("over"); }
log([...overOdd()]);
n = 0;
const oo = overOdd();
oo.next();
try { oo.throw(new Error("no throw")); } catch (e) { log((e as Error).name); }`,

  "async functions": `
async function add(a: number, b: number) { await null; log("added"); return a + b; }
async function main() {
  log("begin");
  const x = await add(1, 2);
  log(x);
  const y = (await add(x, 1)) + (await add(x, 2));
  log(y);
  const [p, q] = await Promise.all([add(1, 1), add(2, 2)]);
  log(p! + q!);
  return await add(y, y);
}
log("first");
const promise = main();
log("second");
log(await promise);
const arrow = async (x: number) => await add(x, x);
log(await arrow(4));
const chained = async () => (await add(1, 1)).toFixed((await add(0, 1)));
log(await chained());
log(await (async () => { for (const x of [1, 2]) { log(await add(x, x)); } return "ok"; })());`,

  "order of microtasks": `
const tick = async (name: string) => { log(name + "1"); await null; log(name + "2"); await undefined; log(name + "3"); };
const returns = async () => await Promise.resolve(1);
const plain = async () => 1;
const passes = async () => returns();
const chain = [tick("a"), tick("b"), returns().then(() => log("returns")), plain().then(() => log("plain")), passes().then(() => log("passes"))];
for (let i = 0; i < 6; i++) Promise.resolve().then(() => {}).then(() => log("t" + i));
await Promise.all(chain);
async function* ag() { yield 1; yield 2; return 3; }
async function drain() { for await (const x of ag()) { log("ag" + x); } log("drained"); }
async function lists() { for await (const x of [Promise.resolve(1), 2]) { log("list" + x); } log("listed"); }
await Promise.all([drain(), lists(), tick("c"), tick("d")]);`,

  "async errors": `
const fail = async (what: string) => { await null; throw new Error(what); };
async function f() {
  try { await fail("one"); } catch (e) { log((e as Error).message); await null; log("after"); } finally { await null; log("finally"); }
  try {
    await fail("two");
  } finally {
    log("passes on");
  }
}
try { await f(); } catch (e) { log((e as Error).message); }
async function g() { for (let i = 0; i < 3; i++) { try { await fail("g" + i); } catch (e) { log(i); if (i === 1) break; continue; } } log("end"); }
await g();
log((await Promise.allSettled([fail("x"), f()])).map((r) => r.status));
async function early() { throw new Error("sync part"); }
await early().catch((e) => log(e.message));
async function ret() { try { return await fail("r"); } catch { return "instead"; } }
log(await ret());
async function params(x = (() => { throw new Error("param"); })()) { log(x); await null; }
await params().catch((e) => log(e.message));`,

  "for await": `
async function* source(n: number) { try { for (let i = 0; i < n; i++) { await null; log("give" + i); yield i; } } finally { log("closed"); } }
async function f() {
  for await (const x of source(3)) log(x);
  for await (const x of source(3)) { if (x === 1) break; log(x); }
  outer: for (const a of [1, 2]) {
    log(a);
    for await (const b of source(3)) { if (b === 1) continue outer; log([a, b]); }
  }
  log("labels done");
  for await (const x of source(2)) { try { if (x === 0) continue; log(x); } finally { await null; log("f"); } }
  for await (const x of source(2)) { return x; }
}
log(await f());
async function thrown() { for await (const x of source(2)) { throw new Error("in body" + x); } }
await thrown().catch((e) => log(e.message));
async function rejects() { for await (const x of [1, Promise.reject(new Error("item"))]) log(x); }
await rejects().catch((e) => log(e.message));
async function notIterable() { for await (const x of 5 as any) log(x); }
await notIterable().catch((e) => log(e.name));
async function missing() { for await (const x of undefined as any) log(x); }
await missing().catch((e) => log(e.name));
for await (const x of source(1)) log(x);
lab: for await (const x of source(2)) { for (;;) { log(x); continue lab; } }
const custom = { [Symbol.asyncIterator]() { let i = 0; return { next: async () => { log("next"); return { value: i, done: i++ > 1 }; }, return: async () => { log("return"); return {}; } }; } };
for await (const x of custom) { log(x); if (x === 1) break; }
if (true) for await (const x of custom) log(x);
log("end");`,

  "async generators": `
async function* ag(n: number): AsyncGenerator<number, string, string> {
  try {
    for (let i = 0; i < n; i++) { const got = yield i; log(["got", got]); }
    return "r";
  } catch (e) {
    log(["caught", e]);
    yield -1;
    return "c";
  } finally {
    await null;
    log("finally");
  }
}
let g = ag(2);
log(await g.next("ignored"));
log(await g.next("a"));
log(await g.next("b"));
log(await g.next("c"));
g = ag(2);
await g.next("");
log(await g.throw("boom"));
log(await g.next(""));
g = ag(2);
await g.next("");
log(await g.return("early"));
g = ag(3);
log(await Promise.all([g.next("1"), g.next("2"), g.next("3"), g.next("4"), g.next("5")]));
async function* outer() { const r = yield* ag(2); log(r); yield* [Promise.resolve(8), 9]; return Promise.resolve("awaited"); }
const o = outer();
for (let i = 0; i < 6; i++) log(await o.next("s" + i));
const q = outer();
await q.next("");
log(await q.return("bye" as any));
async function* rejecting() { try { yield Promise.reject(new Error("y")); } catch (e) { log((e as Error).message); } return 1; }
log(await rejecting().next());
const abandoned = ag(5);
await abandoned.next("");
log("abandoned");`,

  "getters and setters": `
const o = {
  n: 1,
  get value() { log("get"); return this.n; },
  set value(x) { log(["set", x]); this.n = x; },
  get [Symbol.toStringTag]() { return parts().join(""); },
};
function parts() { return ["T", "ag"]; }
o.value = 5;
log(o.value);
o.value += 2;
log(String(o));
class Tree { constructor(public kids: Tree[] = []) {} get size(): number { return 1 + this.kids.reduce((n, it) => n + it.size, 0); } get deep(): number { return this.kids.length ? this.kids[0]!.deep + 1 : 0; } }
const tree = new Tree([new Tree([new Tree()]), new Tree()]);
log(tree.size);
log(tree.deep);
log(Object.getOwnPropertyDescriptor(Tree.prototype, "size")?.get?.name);`,

  classes: `
class Base {
  static count = make("static field");
  static #hidden = 0;
  static { log("static block"); this.#hidden = 3; }
  #secret = make("private field");
  plain = make("field");
  handler = () => { log(this.plain); return this; };
  constructor(readonly name: string) { log("base " + name); }
  #private(x: number) { log(x); return x * 2; }
  call(x: number) { return this.#private(x) + Base.#hidden; }
  get secret() { return this.#secret; }
  static make() { return new this("made"); }
  ["comp" + "uted"]() { return make("computed"); }
  has(o: object) { return #secret in o; }
}
function make(x: string) { log(x); return x; }
class Derived extends Base {
  extra = make("derived field");
  constructor(x: number, public more = make("param")) {
    const name = x > 1 ? "big" : "small";
    super(name);
    log(this.extra);
    if (x > 1) return;
    log("small");
  }
  override call(x: number) { log("derived"); return super.call(x) + 1; }
}
const d = new Derived(1);
log(d.call(4));
log(new Derived(2).name);
log(d.handler() === d);
log([Base.make().name, Base.count, d.secret, d.has(d), d.has({}), (d as any).computed()]);
class Implicit extends Base {}
log(new Implicit("implicit").name);
class Odd extends Base { constructor(x: boolean) { if (x) { super("odd"); } else { super("even"); } log("odd"); } }
log(new Odd(true).name);
class Arrow extends Base { constructor() { const go = () => super("arrow"); go(); log(this.name); } }
new Arrow();
try { new (class extends Base { constructor() { log("no super"); } } as any)(); } catch (e) { log((e as Error).name); }
class Returns extends Base { constructor() { super("x"); return { name: "other" } as any; } }
log(new Returns().name);
log([Base.length, Derived.length, Derived.name, d.handler.name, Base.prototype.call.name]);
const anonymous = class { static who() { return make("who"); } };
log([anonymous.name, anonymous.who()]);
log(new (class { a = this; b = [1].map((x) => x + 1); c = () => 1; d = class {}; })().c.name);`,

  "accessor fields (Bun)": `
class Acc { static accessor z = make("acc"); accessor y = make("y"); }
log([Acc.z, new Acc().y]);
function make(x: string) { log(x); return x; }`,

  "new.target, arguments and this": `
function Old(this: any) { log(new.target === Old); this.x = [1].map((y) => y + arguments.length)[0]; }
log(new (Old as any)(1, 2).x);
function args() { log([...arguments].join()); return (() => arguments.length)(); }
log((args as any)(1, 2, 3));
const o = { a: 1, f() { return [1].map(() => this.a); }, g: function () { return show(this.a); } };
function show(x: number) { log(x); return x; }
log([o.f(), o.g(), (0, o.f).length]);
log((function (a: number, b = 2) { return show(a); }).length);`,

  parameters: `
function f({ a = make("a"), ...rest }: any = {}, [b = make("b")] = [], c = a + b, ...d: number[]) { log([a, b, c, d, rest]); return () => a; }
function make(x: string) { log("make " + x); return x; }
log(f()());
log(f({ a: 1, z: 2 }, ["q"], 5, 6, 7)());
const g = (x = (() => { log("in default"); return 3; })()) => x + make("g").length;
log(g());
function shadow(a: number, get = () => a) { var a = 5; log(get()); return a; }
log(shadow(1));
const h = ({ x: { y } }: any) => make(y);
log(h({ x: { y: "deep" } }));
try { h({}); } catch (e) { log((e as Error).name); }`,

  "names and lengths of functions": `
const arrow = (a: number, b: number) => log2(a + b);
function log2(x: number) { return [x].map((y) => y)[0]; }
const o = { method() { return log2(1); }, prop: () => log2(2), async am() { await log2(1); }, *gen() { yield log2(1); }, ["c" + 1]: () => log2(3) };
let assigned; assigned = () => log2(4);
const { def = () => log2(5) } = {} as any;
for (const f of [arrow, log2, ...Object.values(o), assigned, def]) log([f.name, f.length]);
log((() => log2(1)).name);
log([class { static name2 = log2(1); }].length);`,

  expressions: `
const f = (x: any) => { log(x); return x; };
const o: any = { a: { b: () => f("called") }, n: null };
log(o?.a?.b?.());
log(o.n?.b.c.d(f(1)));
log(o.x?.());
log((f(1), f(2), 3));
log(f(0) || f(1) && f(2));
log(f(null) ?? f("dflt"));
log(f(1) ? f(2) : f(3));
let v: any = 0; v ||= f(5); v &&= f(6); v ??= f(7);
log(v);
log(typeof f(1) + void f(2));
log([...[f(1), f(2)], ...new Set([3])]);
log({ ...o.a, [f("k")]: f("v") }.k);
log(\`a\${f(1)}b\${\`\${f(2)}\`}\`);
function tag(s: TemplateStringsArray, ...v: unknown[]) { log([s.raw.join("|"), v]); return tag; }
tag\`x\${1}\\n\`\`y\${f(2)}\`;
log(tag\`\`.name);
const same = () => tag2\`s\`; function tag2(s: TemplateStringsArray) { return s; }
log(same() === same());
log(new Date(0).getTime() + f(2) ** f(3));
log(delete o.n);
var i = 0; i++; ++i
log(i)
log(/x/.test("x") ? f(1) : 0);
log(((a: number) => (b: number) => f(a + b))(1)(2));
log((() => ({ a: f(1) }))().a);
log((() => (f(1), f(2)))());
log(new (class { constructor(public q = f("q")) {} })().q);
log("x" in { x: f(1) });
log([3, 1, 2].sort((a, b) => { log([a, b].length); return a - b; }));
log([1, 2].map((x) => f(x)).filter(Boolean)
  .reduce((a, b) => a + b));`,

  "semicolons left out": `
let a = 1
let b = a
log(b)
const f = x => g(x)
const g = x => [x].map(y => y + 1)[0]
;[1, 2].forEach(x => log(f(x)))
;(() => log("iife"))()
function h() {
  log("h")
  return
  log("never")
}
log(h())
do log("do"); while (false) log("same line")
const k = async () => {
  await null
  log("k")
  const r = await g(1)
  log(r)
}
await k()
if (a) log("if")
else log("else")
for (const x of [1]) log(x)
while (a--) log(a)
var z = function () { return g(1) }
log(z())
label: log("labelled")
{ log("block") }
;\`template\`
class C { x = g(1)
  y = g(2)
  static z
  m() { return g(3) } }
log([new C().x, new C().y, new C().m()])
export default k
log("last")`,

  directives: `
function strict() {
  "use strict";
  "another";
  log(this === undefined);
  return (function () { "use strict"; return [1].map((x) => x + 1); })();
}
log(strict());
const arrow = () => { "use strict"; return log("arrow"); };
arrow();`,

  using: `
const make = (name: string) => ({ name, [Symbol.dispose]() { log("dispose " + name); } });
function f() {
  using a = make("a");
  using b = make("b");
  log(a.name + b.name);
  { using c = make("c"); log(c.name); }
  log("end");
  return "r";
}
log(f());
function early(x: boolean) { if (x) return "no"; using a = make("e"); log("in"); return "yes"; }
log(early(true));
log(early(false));
for (using x of [make("1"), make("2")]) { log(x.name); if (x.name === "2") break; }
try { using t = make("t"); throw new Error("thrown"); } catch (e) { log((e as Error).message); }
switch (1) { case 1: { using s = make("s"); log("switch"); } }`,

  "await using": `
const make = (name: string) => ({ name, async [Symbol.asyncDispose]() { log("begin " + name); await null; log("disposed " + name); } });
const sync = (name: string) => ({ name, [Symbol.dispose]() { log("sync " + name); } });
async function f() {
  await using a = make("a");
  using b = sync("b");
  await using c = make("c");
  log("in");
  await null;
  log("after await");
  { await using d = make("d"); log(d.name); }
  log("after block");
  return "r";
}
log(await f());
async function loop() {
  for (let i = 0; i < 4; i++) {
    await using x = make("x" + i);
    if (i === 1) continue;
    if (i === 3) break;
    log(i);
  }
  log("after loop");
  if (true) { await using y = make("y"); log("y"); } else log("no");
  try { await using z = make("z"); throw new Error("t"); } catch (e) { log((e as Error).message); }
  log("end");
  out: for (const q of [1, 2]) { for (;;) { await using w = make("w"); if (q === 1) continue out; break out; } }
  log("labels");
  for (await using v of [make("v1"), make("v2")]) { log(v.name); }
  for await (await using u of [make("u1")]) log(u.name);
  log("streams");
}
await loop();
async function fails() { await using a = make("f"); throw new Error("body"); }
await fails().catch((e) => log(e.message));
await using top = make("top");
await using none = null;
log("module end");`,

  "more async calls at once than are noted": `
const gate = Promise.withResolvers<void>();
async function inner(n: number) {
  if (n < 0) throw new Error("negative");
  log("begin " + n);
  await null;
  log("inner " + n);
  return n;
}
async function item(n: number) {
  try {
    await gate.promise;
    if (n % 500 === 7) log(await inner(n));
    if (n === 2_999) await inner(-1);
  } catch (e) {
    log((e as Error).message);
    await null;
    log("caught");
  } finally {
    if (n % 1_000 === 999) log("finally " + n);
  }
  return n;
}
async function* numbers() {
  try {
    yield 1;
    await null;
    log("between");
    yield 2;
    log("after");
  } finally {
    log("end");
  }
}
const all = Array.from({ length: 3_000 }, (_, n) => item(n));
log("all begun");
for await (const n of numbers()) log(n);
for await (const n of numbers()) if (n === 2) break;
gate.resolve();
log((await Promise.all(all)).length);`,

  "loops that look for a kill": `
let big = 3n, small = 1, text = "";
for (let i = 0; i < 4; i++) big = i % 3 === 0 ? 3n : big * big
for (let i = 0; i < 4; i++) small *= i + 1
for (let i = 0; i < 3; i++)
  text += i
do big <<= 1n; while (big < 100n)
log(String(big)); log(small); log(text)
const next = (n: bigint) => n + 1n;
while (big < 200n) {
  const half = big / 2n, other = half % 7n;
  let sum = half + other
  big = next(big) as bigint; if (sum > 1_000n) break
  out: big += 20n
  log([String(half), String(other), String(sum)]);
}
outer: for (const row of [[1, 2], [3, 4]]) for (const cell of row) { if (cell === 2) continue outer; small = log(cell) * small; }
for (const key in { a: 1, b: 2 }) text = key + text, log(text);
let left = 3; while (left = left - 1) log(left);
while (left++ < 2) ;
switch (left) { case 9: let never = 2n; default: for (let i = 0; i < 2; i++) if (i > 5) never = never! * 2n; else log(i); }
function* doubled(from: bigint) { for (;;) { const got: bigint = yield from; from = got * from; log(String(from)); } }
const steps = doubled(2n); steps.next(); steps.next(3n); steps.next(4n);
async function later() { let n = 2n; for (let i = 0; i < 3; i++) n = n * (await Promise.resolve(n)); return String(n); }
log(await later());
const closed: (() => bigint)[] = []; for (let i = 0n; i < 3n; i++) { const square = i * i; closed.push(() => square); }
log(closed.map((it) => String(it())));`,

  "enums and namespaces": `
enum Color { Red, Green = 5, Blue, Text = "t", Computed = make() }
function make() { log("computed"); return 12; }
log([Color.Red, Color.Blue, Color[6], Color.Text, Color.Computed]);
const enum Small { A = 1, B = A << 2 }
log(Small.B);
namespace Space {
  export const inner = make();
  log(inner);
  export function f() { log("in namespace"); return inner; }
  export namespace Deep { export const x = f(); }
}
log(Space.f() + Space.Deep.x);
declare const nothing: number;
declare module "none" { const a: number; }
declare global { interface Window { x: number } }
interface I { a: string }
type T = { [K in keyof I]: I[K] };
abstract class A { abstract m(): void; abstract x: number; declare y: string; n(): string { log("n"); return this.constructor.name; } }
class B extends A { m() {} x = 1; }
log(new B().n());
function over(a: string): string;
function over(a: number): number;
function over(a: any) { log(a); return a; }
log(over(1));
const cast = <T,>(x: T) => over(x as any) as T;
log(cast<number>(4)!);
log((<any>over)(5) satisfies number);
let definite!: number;
definite = over(3);
log(definite as number as any);
export type { T };
import type { Stats } from "node:fs";
import { type Dirent, existsSync } from "node:fs";
log(existsSync("/nowhere"));
log(<any>over(1) + over(2));`,

  decorators: `
const seen: string[] = [];
function dec(name: string) { log("make " + name); return (value: any, context: any) => { log(name + " " + context?.kind); return value; }; }
function wrap(value: any, context: any) { return function (this: any, ...args: any[]) { log("wrapped"); return value.apply(this, args); }; }
@dec("class") class A {
  @dec("field") x = [1].map((y) => y)[0];
  @dec("method") m() { log("m"); return this.x; }
  @wrap n() { log("n"); return 2; }
  @dec("static") static s() { return 1; }
}
log(new A().m());
log(new A().n());
@dec("exported") export class E { y = dec("in field") && 1; }
export default @dec("default") class { z() { return log("z"); } }
log(new E().y);`,

  "var and function of one name": `
function f(a: any) { var a = a || 1; log(a); return a; }
log(f(0));
function g() { log(typeof inner); if (true) { function inner() { return 1; } log(inner()); } return 1; }
log(g());
function param(x: any) { function x() { return "fn"; } log(typeof x); return x(); }
log(param(1));`,

  "exceptions of every kind": `
for (const thrown of [undefined, null, 0, "text", { a: 1 }, Symbol.for("s")]) {
  try { raise(thrown); } catch (e) { log([typeof e, String(e)]); }
}
function raise(x: unknown): never { throw x; }
const p = Promise.reject(3);
await p.catch((x) => log(x));
try { await p; } catch (x) { log(x); }
try { (undefined as any).x(); } catch (e) { log((e as Error).name); }
try { null_(); } catch (e) { log((e as Error).name); }
declare function null_(): void;`,

  "proxies and reflection": `
const seen: string[] = [];
const p = new Proxy(function target(x: number) { log(x); return x; } as any, { apply(t, self, args) { log("trap"); return Reflect.apply(t, self, args); }, get(t, k) { log(String(k)); return t[k]; } });
log(p(3));
log(p.name);
class Meta { static [Symbol.hasInstance](x: any) { log("instance?"); return x === 1; } }
log((1 as any) instanceof Meta);
const conv = { [Symbol.toPrimitive](hint: string) { log(hint); return 5; } } as any;
log(+conv + conv);
log(\`\${conv}\`);`,

  "timers and events": `
const { EventEmitter } = await import("node:events");
const { setTimeout: delay } = await import("node:timers/promises");
const bus = new EventEmitter();
bus.on("x", (v) => { log(v); });
bus.on("x", async (v) => { await null; log("async " + v); });
bus.emit("x", 1);
await delay(1);
log("after");
await new Promise<void>((done) => setTimeout(() => { log("timer"); done(); }, 1));
const results = await Promise.all([3, 1, 2].map(async (n) => { await delay(n * 3); log(n); return n; }));
log(results);
queueMicrotask(() => log("micro"));
await null;
log(await Promise.race([delay(1).then(() => "fast"), delay(60, "slow", { ref: false })]));`,

  "top-level await of everything": `
const x = await Promise.resolve(1);
log(x);
const { a, b = await Promise.resolve(2) } = { a: 1 } as any;
log([a, b]);
export const exported = await Promise.resolve([1, 2].map((y) => y * 2));
log(exported);
for (const y of await Promise.resolve([1, 2])) log(y);
if (await Promise.resolve(true)) log("if");
while (await Promise.resolve(false)) log("no");
switch (await Promise.resolve(1)) { case await Promise.resolve(1): log("case"); }
class K { [await Promise.resolve("key")] = 1; static s = 2; }
log((new K() as any).key);
try { await Promise.reject(new Error("r")); } catch (e) { log((e as Error).message); } finally { await null; log("f"); }
export default await Promise.resolve("default");`,

  "objects with methods": `
const o = {
  async m() { await null; log("m"); return 1; },
  *g() { yield log("g"); },
  async *ag() { yield log("ag"); },
  get [name()]() { return log("computed getter"); },
  "quoted name"() { return log("quoted"); },
  123() { return log("number"); },
  super() { return super.toString(); },
};
function name() { log("name"); return "k"; }
log(await o.m());
log([...o.g()].length);
for await (const _ of o.ag()) log("once");
(o as any).k;
o["quoted name"]();
o[123]();
log(o.super());`,

  "bigints and regexes": `
const pow = (a: bigint, b: bigint) => a ** b;
log(String(pow(2n, 100n)));
log("aXbX".replace(/X/g, (m, at) => { log(at); return m.toLowerCase(); }));
log([..."a1b2".matchAll(/[a-z](\\d)/g)].map((m) => m[1]));
log("x".padEnd(3, "ab").split("").reverse().join(""));
let big = 1n; for (let i = 0; i < 5; i++) big *= 10n;
log(String(big));
log(JSON.parse('{"a":[1,2]}', function (k, v) { return Array.isArray(v) ? v.length : v; }).a);
log(JSON.stringify({ toJSON() { log("toJSON"); return 1; } }));`,
};

/** Sources that are odd as texts. */
export const ODD_TEXTS: Readonly<Record<string, string>> = {
  "a byte order mark": "\uFEFFlog(1);\nconst f = () => { log(2); };\nf();\n",
  "Windows line ends":
    "log(1);\r\nfunction f() {\r\n  log(2);\r\n  for (const x of [1, 2]) {\r\n    log(x);\r\n  }\r\n}\r\nf();\r\n",
  "a hashbang": "#!/usr/bin/env bun\nlog(1);\nconst f = () => { log(2); };\nf();\n",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source of a template
  "a template over lines": "const t = `a\n${[1].map((x) => { log(x); return x; })}\nb`;\nlog(t);\n",
  "letters of two code units":
    'const s = "𝒳𝒴é"; log(s); const ünï = () => { log("ü"); }; ünï(); log("𝒳");\n',
  "comments everywhere":
    "/* a */ log(1) /* b */ // c\nconst f = /* d */ () /* e */ => /* f\n g */ g(2) /* h */ // i\nfunction g(x) { // j\n  log(x) // k\n  return x // l\n} // m\nlog(f()) /* n */",
  "no newline at the end": "log(1); log(2) // end",
  "an export at the end":
    "log(1)\nexport const x = [1].map((y) => { log(y); return y; })\nexport { x as y }",
  "a comment at the end of a body":
    "function f() {\n  log(1)\n  // end }\n}\nf()\nclass A { static { log(2) /* } */ } }",
};
