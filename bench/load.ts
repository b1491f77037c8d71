// Loads one path with POST requests over raw keep-alive sockets: cheap enough not to be what is measured.
import { connect, type Socket } from "node:net";
import { percentile } from "../test/support/latencies.ts";

export interface LoadSpec {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text in which `#` stands for a number that no other request of this load has. */
  readonly body: string;
  /** Requests in flight, each on its own connection. */
  readonly connections: number;
  /** Before the measuring. */
  readonly warmUpMs: number;
  readonly durationMs: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
}

interface Round {
  readonly measureFrom: number;
  readonly measureUntil: number;
  readonly timesMs: number[];
  nextRequest(): string;
}

const HEAD_END = "\r\n\r\n";

/** Rejects at the first answer that is not a 200 with code 0. */
export async function load(spec: LoadSpec): Promise<LoadResult> {
  const round = createRound(spec);
  const { connections, port } = spec;
  await Promise.all(Array.from({ length: connections }, () => keepAsking(port, round)));
  const { timesMs } = round;
  return {
    perSecond: (timesMs.length * 1000) / spec.durationMs,
    p50Ms: percentile(timesMs, 0.5),
    p99Ms: percentile(timesMs, 0.99),
    requests: timesMs.length,
  };
}

function createRound(spec: LoadSpec): Round {
  const measureFrom = performance.now() + spec.warmUpMs;
  // A fixed width keeps the length of the body, and so the head of the request, the same.
  const [before = "", after = ""] = spec.body.split("#");
  const numberWidth = 9;
  const length = Buffer.byteLength(before + after) + numberWidth;
  const lines = Object.entries(spec.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${spec.path} HTTP/1.1\r\nhost: 127.0.0.1:${spec.port}\r\n${lines.join("")}content-length: ${length}${HEAD_END}`;
  let sent = 0;
  return {
    measureFrom,
    measureUntil: measureFrom + spec.durationMs,
    timesMs: [],
    nextRequest() {
      sent += 1;
      return `${head}${before}${String(sent).padStart(numberWidth, "0")}${after}`;
    },
  };
}

/** One connection: asks again as soon as it is answered, until the round is over. */
function keepAsking(port: number, round: Round): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let received = "";
  let askedAt = 0;

  function ask(): void {
    askedAt = performance.now();
    if (askedAt < round.measureUntil) socket.write(round.nextRequest());
    else end(socket, resolve);
  }

  function hear(text: string): void {
    received += text;
    if (!isComplete(received)) return;
    if (!isSuccess(received)) {
      end(socket, () => reject(new Error(`not a success: ${received.slice(0, 1000)}`)));
      return;
    }
    note(round, askedAt);
    received = "";
    ask();
  }

  // One character per byte, so that content-length can be compared with the length of the text.
  socket.setEncoding("latin1");
  socket.on("data", (chunk) => hear(String(chunk)));
  socket.once("connect", ask);
  socket.once("error", reject);
  socket.once("close", () => reject(new Error("the server closed the connection")));
  return promise;
}

function note({ measureFrom, measureUntil, timesMs }: Round, askedAt: number): void {
  const now = performance.now();
  if (now >= measureFrom && now < measureUntil) timesMs.push(now - askedAt);
}

function end(socket: Socket, settle: () => void): void {
  settle();
  socket.destroy();
}

function isComplete(received: string): boolean {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return false;
  const length = /content-length: (\d+)/i.exec(received)?.[1];
  if (length === undefined) throw new Error("the bench needs answers with a content-length");
  return received.length >= headEnd + HEAD_END.length + Number(length);
}

function isSuccess(received: string): boolean {
  return received.startsWith("HTTP/1.1 200") && received.includes(`${HEAD_END}{"code":0,`);
}
