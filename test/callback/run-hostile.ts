// Delivers to every hostile receiver, one after the other, and prints what became of it; runs on Bun and on Deno.
import { pathToFileURL } from "node:url";
import { createTestLane, taskFor } from "./cases.ts";
import type { Certificates } from "./certificates.ts";
import { hostileCases } from "./hostile-receivers.ts";

/** What became of one delivery. */
export interface HostileRow {
  readonly name: string;
  readonly outcome: string;
  readonly reason: string | undefined;
  readonly ms: number;
  /** By how much the process grew at most meanwhile, receiver included, MB. */
  readonly grewMb: number;
  /** It was led to another address, or the request was sent although the certificate was wrong. */
  readonly lured: number;
  /** Nothing of it was open any more. */
  readonly killed: boolean;
}

export async function runHostile(certificates: Certificates): Promise<HostileRow[]> {
  const lane = createTestLane({ allowLoopback: true });
  const rows: HostileRow[] = [];
  for (const { name, timeoutMs, start } of hostileCases) {
    const receiver = await start(certificates);
    const memory = watchMemory();
    const startedMs = performance.now();
    const attempt = lane.start(taskFor(receiver.url, { timeoutMs }));
    const end = await attempt.ended;
    rows.push({
      name,
      outcome: end.outcome,
      reason: end.error?.reason,
      ms: Math.round(performance.now() - startedMs),
      grewMb: Math.round(memory() / 104_857.6) / 10,
      lured: receiver.lured(),
      killed: (await attempt.gone).killed,
    });
    receiver.stop();
  }
  await lane.close();
  return rows;
}

/** Watches from now on; the answer tells the most bytes by which the process grew so far. */
function watchMemory(): () => number {
  const before = process.memoryUsage.rss();
  let most = before;
  const look = () => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  const timer = setInterval(look, 5);
  return () => {
    clearInterval(timer);
    look();
    return most - before;
  };
}

const [, script = "", data = "{}"] = process.argv;
if (import.meta.url === pathToFileURL(script).href) {
  console.log(JSON.stringify(await runHostile(JSON.parse(data) as Certificates)));
  process.exit(0);
}
