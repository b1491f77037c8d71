// Everything a job may do that is hard to kill: the cases of the kill matrix, by name.
import { spawn, spawnSync } from "node:child_process";
import { pbkdf2Sync } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { JobContext } from "serendipity-job";

export interface ActionParams {
  readonly do: string;
  /** A file of this attempt's own; what it is for depends on the action. */
  readonly path: string;
  /** Of a kill. */
  readonly signal?: string;
}

type Action = (params: ActionParams, ctx: JobContext) => unknown;

/** Leaves a promise to itself. */
function float(_promise: Promise<unknown>): void {
  // Nobody handles it: that is the case.
}

const channels: MessageChannel[] = [];

const never = () => new Promise<never>(() => undefined);

/** (module (func (export "spin") (loop (br 0)))) */
const WASM_LOOP = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 115, 112, 105, 110, 0, 0,
  10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11,
]);

const spins: Readonly<Record<string, Action>> = {
  "for(;;)": () => {
    for (;;);
  },
  "for(;;) await 0": async () => {
    const value: unknown = 0;
    for (;;) await value;
  },
  "promise recursion": async () => {
    const again = (): Promise<unknown> => Promise.resolve().then(again);
    await again();
  },
  "queueMicrotask recursion": async () => {
    const again = () => queueMicrotask(again);
    again();
    await never();
  },
  "setImmediate flood": async () => {
    const again = () => {
      setImmediate(again);
    };
    for (let i = 0; i < 1_000; i++) again();
    await never();
  },
  "nextTick recursion": async () => {
    const again = () => process.nextTick(again);
    again();
    await never();
  },
  // Each call takes some 0.4 s; what is longer than 2 s costs its executor. JSC gives up after 1.4 s by itself.
  "regex catastrophe": () => {
    for (;;) /^(a+)+$/.test(`${"a".repeat(25)}!`);
  },
  "JSON.parse in a loop": () => {
    const text = JSON.stringify(Array.from({ length: 200_000 }, (_, index) => ({ index })));
    for (;;) JSON.parse(text);
  },
  "sort with a spinning comparator": () =>
    [3, 1, 2].sort(() => {
      for (;;);
    }),
  "BigInt growth": () => {
    let number = 3n;
    for (let i = 0; ; i++) number = i % 18 === 0 ? 3n : number * number;
  },
  "a finally block that spins": () => {
    try {
      throw new Error("on the way");
    } finally {
      for (;;);
    }
  },
  "an ignored signal": async (_, ctx) => {
    ctx.signal.addEventListener("abort", () => undefined);
    for (;;) await new Promise((resolve) => setTimeout(resolve, 5));
  },
  "a trapped SIGTERM": () => {
    for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(name, () => undefined);
    for (;;);
  },
  "a promise that never settles": async () => {
    await never();
  },
  "a counter in a file": ({ path }) => {
    for (let i = 1; ; i++) if (i % 1_000_000 === 0) appendFileSync(path, ".");
  },
  "short system calls in a loop": ({ path }) => {
    for (;;) appendFileSync(path, ".");
  },
  "system calls in a callback": ({ path }) =>
    Array.from({ length: 1e9 }, () => appendFileSync(path, ".")),
};

const blocks: Readonly<Record<string, Action>> = {
  "Atomics.wait": () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  "WASM loop": () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(WASM_LOOP));
    (exports["spin"] as () => void)();
  },
  "readFileSync of a FIFO": ({ path }) => {
    spawnSync("mkfifo", [path]);
    return readFileSync(path, "utf8");
  },
  "spawnSync sleep": () => spawnSync("sleep", ["60"]),
  pbkdf2Sync: () => pbkdf2Sync("password", "salt", 60_000_000, 64, "sha512").length,
  "a long SQLite query": () => {
    const database = new DatabaseSync(":memory:");
    const sql =
      "with recursive n(x) as (select 1 union all select x + 1 from n where x < 3e9) select sum(x) from n";
    return database.prepare(sql).get();
  },
};

const floods: Readonly<Record<string, Action>> = {
  "allocation without end": () => {
    const kept: Uint8Array[] = [];
    for (;;) kept.push(new Uint8Array(8 * 1024 * 1024).fill(1));
  },
  "allocation with pauses": async () => {
    const kept: Uint8Array[] = [];
    for (;;) {
      kept.push(new Uint8Array(2 * 1024 * 1024).fill(1));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
  "1 GB of postMessage": async () => {
    const channel = new MessageChannel();
    // A port that nobody holds is collected with all that waits in it.
    channels.push(channel);
    const piece = new Uint8Array(16 * 1024 * 1024);
    for (let i = 0; i < 64; i++) channel.port1.postMessage(piece);
    await never();
  },
};

const crashes: Readonly<Record<string, Action>> = {
  "process.exit": () => process.exit(0),
  "work, then process.exit": () => {
    // So much work, not so much time: on a busy machine a while may pass without any.
    let turns = 0;
    while (turns < 100_000_000) turns += 1;
    process.exit(3);
  },
  "process.abort": () => process.abort(),
  "kill of its own process": async () => {
    process.kill(process.pid, "SIGKILL");
    await never();
  },
  "kill of its own process by a child": ({ signal = "KILL" }) => {
    spawnSync("sh", ["-c", `kill -${signal} $PPID`]);
    return never();
  },
  "a late throw": async () => {
    setTimeout(() => {
      throw new Error("nobody catches this");
    }, 5);
    await never();
  },
  "an unhandled rejection": async () => {
    setTimeout(() => {
      float(Promise.reject(new Error("nobody handles this")));
    }, 5);
    await never();
  },
};

/** Waits for the signal and does something about it that is no way to end. */
async function atSignal({ signal }: JobContext, react: () => void): Promise<never> {
  signal.addEventListener("abort", react);
  return never();
}

const reactions: Readonly<Record<string, Action>> = {
  "throw in a listener of the signal": (_, ctx) =>
    atSignal(ctx, () => {
      throw new Error("thrown at the signal");
    }),
  "reject at the signal": (_, ctx) =>
    atSignal(ctx, () => float(Promise.reject(new Error("rejected at the signal")))),
  "throw after the signal": async (_, ctx) => {
    await new Promise<void>((resolve) => ctx.signal.addEventListener("abort", () => resolve()));
    throw Object.assign(new Error("thrown after the signal"), { code: "E_OWN" });
  },
  "process.exit at the signal": (_, ctx) => atSignal(ctx, () => process.exit(3)),
  "process.abort at the signal": (_, ctx) => atSignal(ctx, () => process.abort()),
};

const throws: Readonly<Record<string, Action>> = {
  "stack overflow": () => {
    const deeper = (): number => deeper() + 1;
    return deeper();
  },
};

const works: Readonly<Record<string, Action>> = {
  "until a file is there": async ({ path }, ctx) => {
    while (!existsSync(path)) await ctx.sleep(5);
  },
  "three seconds of work": async (_, ctx) => {
    await ctx.sleep(3_000);
    return "done";
  },
};

/** Its sleep appends to the file of the attempt, so that a test sees whether it lives. */
const CHILD = 'trap "" TERM; while :; do echo . >> "$0"; sleep 0.02; done';

const leaves: Readonly<Record<string, Action>> = {
  "a child that outlives": async ({ path }) => {
    spawn("sh", ["-c", CHILD, path], { stdio: "ignore" });
    await never();
  },
  "a detached child": async ({ path }) => {
    spawn("sh", ["-c", CHILD, path], { stdio: "ignore", detached: true }).unref();
    await never();
  },
};

const actions = {
  ...spins,
  ...blocks,
  ...floods,
  ...crashes,
  ...reactions,
  ...throws,
  ...works,
  ...leaves,
};

/** Does what the params say. */
export function act(params: ActionParams, ctx: JobContext): unknown {
  const action = (actions as Readonly<Record<string, Action>>)[params.do];
  if (action === undefined) throw new Error(`no action '${params.do}'`);
  ctx.watch({ doing: params.do });
  ctx.log(`about to do ${params.do}`);
  return action(params, ctx);
}
