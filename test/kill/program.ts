// Runs cases in the whole program: those that on a thread die only with their executor, and the memory of threads.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ApiClient, createClient, type Detail, isEnded } from "../support/api-client.ts";
import { patienceMs } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";
import type { KillCase } from "./cases.ts";
import { inTimeOnce, type Row, type Tried } from "./row.ts";

/** Promised from the deadline or the cancel to the proof of death, on the executor's path. */
const EXECUTOR_PATH_MS = 3_000;
const TIMEOUT_MS = 1_000;

export interface ProgramLane {
  run(killCase: KillCase, ending: "timeout" | "cancel"): Promise<Row>;
  /** On a program with EXECUTOR_RSS_MB: only the one that fills the memory ends, and its executor goes on. */
  runMemory(killCase: KillCase): Promise<Row>;
  stop(): Promise<void>;
}

/** Starts the program on the kill jobs. */
export async function openProgram(
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramLane> {
  const jobsDir = fileURLToPath(new URL("./jobs", import.meta.url));
  const program = await startProgram({ env: { JOBS_DIR: jobsDir, EXECUTOR_SLOTS: "3", ...env } });
  const client = await createClient(program.url);
  return {
    run: (killCase, ending) => inTimeOnce(() => runCase({ program, client }, killCase, ending)),
    runMemory: (killCase) => inTimeOnce(() => runMemoryCase({ program, client }, killCase)),
    stop: async () => {
      await program.stop();
    },
  };
}

interface World {
  readonly program: Program;
  readonly client: ApiClient;
}

/** What is told of the attempt at its end. */
interface Killed {
  readonly outcome: string;
  readonly killed: boolean;
  readonly method: string;
  readonly latencyMs: number;
  readonly reason: unknown;
  /** The files of the innermost frames of receipt and autopsy. */
  readonly files: readonly string[];
}

async function runCase(
  world: World,
  killCase: KillCase,
  ending: "timeout" | "cancel",
): Promise<Tried> {
  const { client } = world;
  const sibling = await client.createJob("on-thread", params("a promise that never settles"));
  await client.until(sibling, ({ status }) => status === "running");
  const path = join(world.program.folder, `${killCase.do.replaceAll(" ", "-")}-${ending}`);
  const timeout = ending === "timeout" ? TIMEOUT_MS : 60_000;
  const id = await client.createJob("on-thread", params(killCase.do, path), { timeout });
  const begun = await client.until(id, ({ service_id: executor }) => executor !== null);
  const answer = ending === "cancel" ? await cancel(client, id) : undefined;
  const killed = await untilProven(world, id);
  const wrong = [
    ...problemsOf({ killCase, ending }, killed),
    ...(await siblingProblems(client, sibling)),
    ...(await healthProblems(client, begun.service_id)),
    ...(answer === undefined || answer.method !== undefined ? [] : ["the cancel has no receipt"]),
  ];
  return {
    runtime: "Bun",
    isolation: "thread",
    ending,
    action: killCase.do,
    outcome: killed.outcome,
    method: killed.method,
    latencyMs: killed.latencyMs,
    wrong,
    late: latenessOf(killed.latencyMs, EXECUTOR_PATH_MS),
  };
}

async function runMemoryCase(world: World, killCase: KillCase): Promise<Tried> {
  const { client } = world;
  const sibling = await client.createJob("on-thread", params("a promise that never settles"));
  const { service_id: executor } = await client.until(sibling, hasBegun);
  const id = await client.createJob("on-thread", params(killCase.do), { timeout: 20_000 });
  const { outcome, killed, latencyMs, reason, method } = await untilProven(world, id);
  const beside = await client.detail(sibling);
  await client.post("/task/cancel", { id: sibling });
  const next = await client.createJob("on-thread", params("stack overflow"));
  const { attempts } = await client.until(next, isEnded);
  const wrong = judge([
    [outcome === killCase.outcome, `outcome ${outcome}`],
    [killed, "not proven dead"],
    [method === "thread", `method ${method}`],
    [reason === "out_of_memory", `reason ${reason}`],
    [beside.attempts.length === 1 && beside.status === "running", "a sibling was disturbed"],
    [attempts[0]?.service_id === executor, "another executor goes on"],
  ]);
  const row = { runtime: "Bun", isolation: "thread", ending: "timeout" } as const;
  const late = latenessOf(latencyMs, killCase.withinMs);
  return { ...row, action: killCase.do, outcome, method, latencyMs, wrong, late };
}

function latenessOf(latencyMs: number, withinMs: number): string[] {
  return latencyMs > withinMs ? [`dead after ${latencyMs} ms`] : [];
}

function judge(checks: readonly (readonly [boolean, string])[]): string[] {
  return checks.flatMap(([isRight, problem]) => (isRight ? [] : [problem]));
}

function params(action: string, path = "") {
  return { do: action, path };
}

/** All actions watch what they do before they do it. */
export function hasBegun({ vars }: Detail): boolean {
  return JSON.stringify(vars).includes("doing");
}

async function cancel(client: ApiClient, id: number) {
  await client.until(id, hasBegun);
  const { data } = await client.post<{ method?: string; latency_ms?: number }>("/task/cancel", {
    id,
    waitMs: 20_000,
  });
  return data;
}

/** Waits until the receipt in the database is a proof. */
async function untilProven({ client }: World, id: number): Promise<Killed> {
  await client.until(id, isEnded);
  const deadlineMs = performance.now() + patienceMs();
  for (;;) {
    const killed = await readEnd(client, id);
    if (killed.killed || performance.now() > deadlineMs) return killed;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function readEnd(client: ApiClient, id: number): Promise<Killed> {
  const [attempt] = await client.attempts(id);
  const { killed = false, method = "none", latency_ms = -1, ...receipt } = attempt?.receipt ?? {};
  const stack = (receipt["stack"] ?? []) as readonly { readonly file: string }[];
  return {
    outcome: attempt?.outcome ?? "none",
    killed: killed === true,
    method: String(method),
    latencyMs: Number(latency_ms),
    reason: receipt["reason"],
    files: [stack[0]?.file ?? "", attempt?.autopsy?.frames[0]?.file ?? ""],
  };
}

interface Judged {
  readonly killCase: KillCase;
  readonly ending: "timeout" | "cancel";
}

function problemsOf({ killCase, ending }: Judged, end: Killed): string[] {
  const { outcome, killed, latencyMs, method, files } = end;
  return judge([
    [outcome === (ending === "cancel" ? "cancelled" : killCase.outcome), `outcome ${outcome}`],
    [killed, "not proven dead"],
    [method === "executor", `method ${method}`],
    [latencyMs >= 0, "no latency"],
    [files.every((file) => file.endsWith("/lib/actions.ts")), "another place is told"],
  ]);
}

/** It is interrupted uncharged and runs again; then it is not needed any more. */
async function siblingProblems(client: ApiClient, id: number): Promise<string[]> {
  const { attempts } = await client.until(id, (seen) => seen.attempts.length === 2);
  const [first] = attempts;
  await client.post("/task/cancel", { id });
  if (first?.outcome === "interrupted" && !first.charged) return [];
  return [`the sibling is ${first?.outcome}, charged ${first?.charged}`];
}

/** The next task is done, by another executor. */
async function healthProblems(client: ApiClient, executor: string | null): Promise<string[]> {
  const id = await client.createJob("on-thread", params("stack overflow"));
  const { attempts } = await client.until(id, isEnded);
  return attempts[0]?.service_id === executor ? ["the same executor goes on"] : [];
}
