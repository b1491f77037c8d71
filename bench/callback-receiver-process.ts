// Receivers of the callback bench in a process of their own: many ports, one may be dead, each counts what it hears.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What one port heard since it was asked last. */
export interface Heard {
  readonly count: number;
  /** Ms from the first to the last request. */
  readonly spanMs: number;
}

export type ReceiverQuestion =
  | { readonly kind: "open"; readonly delayMs: number; readonly isDead: boolean }
  /** `heard` begins to count anew, `peek` does not. */
  | { readonly kind: "heard" | "peek"; readonly port: number };

interface Count {
  count: number;
  firstMs: number;
  lastMs: number;
}

const counts = new Map<number, Count>();

process.on("message", (question: ReceiverQuestion) => {
  answer(question).then(
    (reply) => process.send?.(reply),
    (thrown: unknown) => {
      throw thrown;
    },
  );
});
process.on("disconnect", () => process.exit(0));

async function answer(question: ReceiverQuestion): Promise<number | Heard> {
  if (question.kind === "open") return open(question.delayMs, question.isDead);
  const { count, firstMs, lastMs } = counts.get(question.port) ?? noCount();
  if (question.kind === "heard") counts.set(question.port, noCount());
  return { count, spanMs: lastMs - firstMs };
}

async function open(delayMs: number, isDead: boolean): Promise<number> {
  let port = 0;
  const server: Server = createServer((request, response) => {
    note(port);
    request.resume();
    if (isDead) return;
    if (delayMs === 0) response.end("success");
    else setTimeout(() => response.end("success"), delayMs);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1", 4_096);
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
  counts.set(port, noCount());
  return port;
}

function note(port: number): void {
  const count = counts.get(port) ?? noCount();
  const now = performance.now();
  if (count.count === 0) count.firstMs = now;
  count.count += 1;
  count.lastMs = now;
  counts.set(port, count);
}

function noCount(): Count {
  return { count: 0, firstMs: 0, lastMs: 0 };
}
