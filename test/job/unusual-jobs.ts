// A folder with one job that fails, and speaks, in every unusual way; it does what `do` says.
import { mkdtemp, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCE = `import { runInNewContext } from "node:vm";
import { defineJob, type JobContext } from "serendipity-job";

const HALF = "\\ud83d";

class PaymentRefused extends Error {
  readonly code = "card_declined";
  readonly password = "hunter2";
  readonly order = 7;
}

function deep(left: number, thrown: () => unknown): never {
  if (left > 0) deep(left - 1, thrown);
  throw thrown();
}

async function rejected(error: Error): Promise<never> {
  await null;
  throw error;
}

const hostile = new Proxy(new Error("hidden"), {
  get() { throw new Error("no reading"); },
  has() { throw new Error("no asking"); },
  getPrototypeOf() { throw new Error("no class"); },
  ownKeys() { throw new Error("no keys"); },
});

const throws: Record<string, () => unknown> = {
  object: () => ({ code: "E_ORDER", detail: { order: 7 }, token: "hunter2" }),
  "another-object": () => ({ code: "E_ORDER", detail: { order: 8 }, token: "hunter3" }),
  "object-with-other-keys": () => ({ code: "E_OTHER", line: 1 }),
  text: () => "order 4711 of customer a1b2c3 cannot be found",
  "another-text": () => "order 4712 of customer d4e5f6 cannot be found",
  number: () => 42,
  nothing: () => null,
  undefined: () => undefined,
  symbol: () => Symbol("odd"),
  function: () => deep,
  class: () => new PaymentRefused("the bank says no"),
  system: () => Object.assign(new Error("connect"), { code: "ECONNREFUSED", errno: -111, syscall: "connect", status: 0 }),
  aggregate: () => new AggregateError(
    [new TypeError("first"), Object.assign(new RangeError("second"), { status: 503 })], "two of three failed"),
  chain: () => new Error("outer", { cause: new TypeError("middle", { cause: { code: "E_INNER" } }) }),
  native: () => { try { JSON.stringify({ toJSON() { throw new Error("no JSON"); } }); } catch (error) { return error; } },
  cycle: () => { const error = new Error("round"); error.cause = new Error("and round", { cause: error }); return error; },
  huge: () => new Error("line\\n    at fake (/nowhere/fake.ts:1:2)\\n" + "x".repeat(200_000)),
  realm: () => runInNewContext("(() => { try { null.x } catch (e) { e.status = 418; return e } })()"),
  getters: () => Object.defineProperties(new Error("with getters"), {
    stack: { get() { throw new Error("no stack"); } },
    code: { enumerable: true, get() { throw new Error("no code"); } },
  }),
  hostile: () => hostile,
  revoked: () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; },
  "bad-text": () => ({ toString() { throw new Error("no text"); } }),
  half: () => Object.assign(new Error("an error " + HALF), { name: "Half" + HALF, note: HALF, [HALF]: 1 }),
};

const speaks: Record<string, (ctx: JobContext) => unknown> = {
  result: () => ({ text: HALF, [HALF + "key"]: [HALF, "😀"], backslash: "\\\\ud83d" }),
  vars: async (ctx) => { ctx.watch({ text: HALF, [HALF]: HALF }); ctx.progress(10, "at " + HALF); await ctx.sleep(600_000); },
  log: async (ctx) => {
    ctx.log("a line " + HALF, { field: HALF });
    console.log("console", HALF);
    ctx.progress(50, HALF);
    ctx.watch({ [HALF]: HALF });
    await ctx.step("step " + HALF, () => undefined);
  },
  "cut-log": (ctx) => ctx.log("x".repeat(3_000) + "😀".repeat(2_000)),
};

export default defineJob({
  name: "unusual",
  async run({ do: action }: { do: string }, ctx) {
    const thrown = throws[action];
    if (thrown !== undefined) deep(30, thrown);
    if (action === "any") await Promise.any([rejected(new TypeError("a")), rejected(new Error("b"))]);
    return speaks[action]?.(ctx);
  },
});
`;

/** The folder's path. */
export async function makeUnusualJobs(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "serendipity-unusual-")));
  await writeFile(join(folder, "unusual.ts"), SOURCE);
  return folder;
}
