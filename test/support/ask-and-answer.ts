// A program that serves on a Redis, asks itself, closes, and must then end by itself.
import process from "node:process";
import { createRedisBus } from "../../src/bus/redis.ts";
import type { LiveAnswer } from "../../src/core/live.ts";
import { describeLatencies } from "./latencies.ts";
import { createRecordedLog } from "./recorded-log.ts";

const ROUNDS = 200;
const QUESTION = { kind: "inspect", taskId: 81, fence: 3 } as const;

export interface AskAndAnswerData {
  readonly url: string;
  /** Ask once and close without waiting for anything. */
  readonly inHaste?: boolean;
}

const { url, inHaste } = JSON.parse(process.argv[2] ?? "{}") as AskAndAnswerData;
const bus = createRedisBus({ url }, { logger: createRecordedLog() });
const line = inHaste ? await askInHaste() : await askAndAnswer();
await bus.close();
console.log(line);

async function askInHaste(): Promise<string> {
  const serving = bus.serve("executor", async () => ({ kind: "unknown" }));
  const answer = bus.ask("executor", QUESTION, 20_000);
  await bus.close();
  await serving;
  return (await answer)?.kind ?? "undefined";
}

async function askAndAnswer(): Promise<string> {
  const given: LiveAnswer = { kind: "unknown" };
  const timesMs: number[] = [];
  await bus.serve("executor", async () => given);
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    const answer = await bus.ask("executor", QUESTION, 5_000);
    if (answer?.kind !== "unknown") throw new Error(`no answer in round ${round}`);
    timesMs.push(performance.now() - startedAt);
  }
  return describeLatencies("question to answer", timesMs);
}
