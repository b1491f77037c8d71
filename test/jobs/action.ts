// The fixture job of most tests about attempts: it does what `do` says.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { defineJob, type JobContext, NonRetryableError, Type } from "serendipity-job";
import { callFrom } from "./lib/call-from.ts";
import { waitInPlaces } from "./lib/wait-in-places.ts";

const promisePrototype = Promise.prototype;
let attempts = 0;
export let turns = 0;

function spin(): never {
  for (;;) turns += 1;
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** Leaves a promise to itself. */
function float(_promise: Promise<unknown>): void {
  turns += 1;
}

function later(work: () => void): void {
  setTimeout(work, 1);
}

type Action = (value: unknown, ctx: JobContext) => unknown;

const returns: Readonly<Record<string, Action>> = {
  return: (value) => value,
  nothing: () => undefined,
  attempts: () => attempts,
  bigint: () => ({ total: 12n }),
  function: () => ({ list: [{ callback: spin }] }),
  cycle: () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    return cycle;
  },
  "text-of": (value) => "x".repeat(Number(value)),
  ctx: (_, { taskId, taskNo, attempt, maxAttempts, deadline }) => ({
    taskId,
    taskNo,
    attempt,
    maxAttempts,
    deadline,
  }),
};

const throws: Readonly<Record<string, Action>> = {
  throw: () => {
    throw Object.assign(new Error("it went wrong", { cause: new Error("the reason") }), {
      code: "E_WRONG",
    });
  },
  refuse: () => {
    throw new NonRetryableError("never again");
  },
  "throw-many": () => {
    const first = Object.assign(new Error("the first"), { code: "E_FIRST" });
    throw new AggregateError([first, new Error("the second")], "all went wrong");
  },
  "throw-text": (value) => {
    throw value;
  },
};

const stays: Readonly<Record<string, Action>> = {
  spin: (_, ctx) => {
    ctx.log("about to spin");
    spin();
  },
  "spin-silently": () => spin(),
  "spin-in-awaits": async () => {
    for (;;) await Promise.resolve();
  },
  "watch-and-spin": (value, ctx) => {
    ctx.watch(value as Record<string, unknown>);
    ctx.progress(42, "spinning");
    spin();
  },
  "progress-and-wait": (_, ctx) => {
    ctx.progress(10);
    ctx.progress(60);
    return never();
  },
  never: () => never(),
  "wait-in-places": () => waitInPlaces(),
  // With the mark in its environment it would be killed, and the thread that waits for it would be free.
  block: (value) => spawnSync("/bin/sleep", [String(value)], { env: {} }),
  sleep: async (value, ctx) => {
    await ctx.sleep(Number(value));
    return "slept";
  },
  "await-own": async (value, ctx) => {
    const soon = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
    const tail = async () => {
      await soon();
    };
    const refused = async () => {
      await soon();
      throw new Error("refused");
    };
    for (let times = 0; times < Number(value); times += 1) await soon(); // value
    await tail(); // 1 there, 1 here
    await refused().catch(() => undefined); // 1 there, 1 here
    try {
      await refused(); // 1 there, 1 here
    } catch {
      turns += 1;
    }
    await Promise.all([ctx.sleep(1), ctx.sleep(1), soon()]); // 1
    return turns;
  },
  "sleep-twice-and-wait": async (_, ctx) => {
    await ctx.sleep(1);
    await ctx.sleep(1);
    ctx.log("slept twice");
    await never();
  },
  "finish-on-signal": (_, ctx) =>
    new Promise((resolve) => {
      ctx.signal.addEventListener("abort", () => resolve("in order"));
    }),
  "float-a-sleep": async (_, ctx) => {
    const floating = async () => {
      await ctx.sleep(60_000);
    };
    float(floating());
    await never();
  },
};

const crashes: Readonly<Record<string, Action>> = {
  exit: (value) => process.exit(Number(value)),
  "throw-later": async () => {
    later(() => {
      throw new Error("nobody catches this");
    });
    await never();
  },
  "reject-later": async () => {
    later(() => {
      float(Promise.reject(new Error("nobody handles this")));
    });
    await never();
  },
};

const leaves: Readonly<Record<string, Action>> = {
  "spin-after-end": () => {
    setImmediate(spin);
    return "ended";
  },
  "spin-once-idle": (value) => {
    setTimeout(() => {
      writeFileSync(String(value), "spinning");
      spin();
    }, 50);
    return "ended";
  },
  "exit-after-end": () => {
    later(() => process.exit(1));
    return "ended";
  },
  "log-after-end": (_, ctx) => {
    setTimeout(() => {
      for (let i = 0; i < 5; i++) ctx.log("too late");
      console.log("also too late");
      ctx.watch({ too: "late" });
    }, 0);
    return "ended";
  },
};

const says: Readonly<Record<string, Action>> = {
  call: (_, ctx) => callFrom(ctx),
  log: (value, ctx) => ctx.log(...(value as [string])),
  console: () => {
    console.log("said %s", "here", { deep: true });
    console.error(new Error("shown"));
    process.stdout.write("written\nraw\n");
  },
  flood: (value, ctx) => {
    for (let i = 1; i <= Number(value); i++) ctx.log.debug(`line ${i}`);
  },
  "flood-for-ever": (_, ctx) => {
    for (;;) ctx.log("flood");
  },
  watch: (value, ctx) => ctx.watch(value as Record<string, unknown>),
  steps: (_, ctx) =>
    ctx.step("outer", async () => {
      await ctx.step("inner", () => "done");
      await ctx.step("broken", () => Promise.reject(new Error("no"))).catch(() => "caught");
      return "all";
    }),
  fetch: async (value, ctx) => {
    const answer = await ctx.fetch(String(value));
    return answer.text();
  },
};

const pries: Readonly<Record<string, Action>> = {
  env: () => {
    const { Bun: bun, Deno: deno } = globalThis as {
      readonly Bun?: { readonly env: object };
      readonly Deno?: { readonly env: { toObject(): object } };
    };
    return {
      process: { ...process.env },
      runtime: bun === undefined ? deno?.env.toObject() : { ...bun.env },
      meta: { ...(import.meta as { env?: object }).env },
    };
  },
  ports: async () => {
    const { parentPort, workerData } = await import("node:worker_threads");
    const direct = process.getBuiltinModule("node:worker_threads");
    for (const port of [parentPort, direct.parentPort]) port?.postMessage({ kind: "ended" });
    return {
      global: typeof postMessage,
      direct: direct.parentPort,
      workerData: workerData ?? null,
    };
  },
  patch: (_, ctx) => {
    const broken = () => {
      throw new Error("patched");
    };
    Object.assign(JSON, { stringify: broken, parse: broken });
    Object.assign(globalThis, { setTimeout: broken, setImmediate: broken, clearTimeout: broken });
    Date.now = () => 0;
    performance.now = () => 0;
    Reflect.set(promisePrototype, "then", broken);
    Object.assign(globalThis, { setInterval: broken, queueMicrotask: broken, Promise: broken });
    ctx.log("still there");
    return "still fine";
  },
};

const actions = { ...returns, ...throws, ...stays, ...crashes, ...leaves, ...says, ...pries };

export default defineJob({
  name: "action",
  aliases: ["\\Test\\Action"],
  params: Type.Object({ do: Type.String(), value: Type.Optional(Type.Any()) }),
  async run({ do: name, value }, ctx) {
    attempts += 1;
    const action = actions[name];
    if (action === undefined) throw new NonRetryableError(`no action '${name}'`);
    return await action(value, ctx);
  },
});
