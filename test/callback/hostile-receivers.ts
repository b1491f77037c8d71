// Receivers that mean harm, each in its own way, with what must become of a delivery to them.
import { once } from "node:events";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import type { Outcome } from "../../src/core/attempt.ts";
import type { Certificates, KeyPair } from "./certificates.ts";

export interface HostileCase {
  readonly name: string;
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly timeoutMs: number;
  /** It must be over by then. */
  readonly withinMs: number;
  start(certificates: Certificates): Promise<Started>;
}

export interface Started {
  readonly url: string;
  /** Connections to where the receiver wanted to send us. */
  lured(): number;
  stop(): void;
}

const HEAD = "HTTP/1.1 200 OK\r\n";
/** 50 times 1 MB, one behind the other, as gzip allows. */
const BOMB = Buffer.concat(
  Array.from({ length: 50 }, () => gzipSync(Buffer.alloc(1024 * 1024, "s"))),
);
const slow = { timeoutMs: 1_500, withinMs: 1_750 } as const;
const quick = { timeoutMs: 10_000, withinMs: 3_000 } as const;

export const hostileCases: readonly HostileCase[] = [
  bad("slowloris: one byte of the head per second", slow, (socket) => drip(socket, HEAD)),
  bad("one byte of the body per second", slow, (socket) => {
    socket.write(`${HEAD}content-length: 7\r\n\r\n`);
    drip(socket, "success");
  }),
  bad("never answers", slow, () => undefined),
  fails("endless body", "response_too_large", (socket) => {
    socket.write(`${HEAD}\r\n`);
    flood(socket, Buffer.alloc(16_384, "s"));
  }),
  fails("body of 10 MB", "response_too_large", (socket) => {
    socket.write(`${HEAD}content-length: 10485760\r\n\r\n`);
    flood(socket, Buffer.alloc(65_536, "s"));
  }),
  fails("gzip bomb: 50 MB in 50 KB", "body_compressed", (socket) => {
    const headers = `content-encoding: gzip\r\ncontent-length: ${BOMB.byteLength}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(HEAD + headers), BOMB]));
  }),
  fails("closes in the middle of the body", "connection_closed", (socket) => {
    socket.end(`${HEAD}content-length: 700\r\n\r\nsuccess`);
  }),
  fails("header of 1 MB", "response_too_large", (socket) => {
    socket.write(`${HEAD}x-filler: ${"a".repeat(1_048_576)}\r\ncontent-length: 7\r\n\r\nsuccess`);
  }),
  {
    name: "resets the connection after success",
    outcome: "succeeded",
    ...quick,
    start: () =>
      startRaw((socket) => {
        socket.write(`${HEAD}content-length: 7\r\n\r\nsuccess`);
        // Later, because a reset at once throws away what is still on its way.
        setTimeout(() => socket.resetAndDestroy(), 50);
      }),
  },
  fails("redirects to the metadata address", "redirect", (socket) => {
    const location = "http://169.254.169.254/latest/meta-data/";
    socket.write(`HTTP/1.1 307 Go\r\nlocation: ${location}\r\ncontent-length: 7\r\n\r\nsuccess`);
  }),
  {
    name: "redirects to an address where somebody listens",
    ...failing("redirect"),
    start: startLure,
  },
  tls("TLS: the certificate has expired", "expired"),
  tls("TLS: the certificate is of another name", "wrongName"),
  {
    name: "TLS: nothing wrong with it (for comparison)",
    outcome: "succeeded",
    ...quick,
    start: ({ good }) => startTls(good),
  },
];

type Answer = (socket: Socket) => void;

function failing(reason: string) {
  return { outcome: "failed", reason, ...quick } as const;
}

function fails(name: string, reason: string, answer: Answer): HostileCase {
  return { name, ...failing(reason), start: () => startRaw(answer) };
}

function bad(name: string, limits: typeof slow, answer: Answer): HostileCase {
  const end = { outcome: "timed_out", reason: "timeout" } as const;
  return { name, ...end, ...limits, start: () => startRaw(answer) };
}

function tls(name: string, kind: "expired" | "wrongName"): HostileCase {
  return { name, ...failing("tls"), start: (certificates) => startTls(certificates[kind]) };
}

function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(text.charAt(at));
    at += 1;
  }, 1_000);
  socket.once("close", () => clearInterval(timer));
}

/** As fast as the other side takes it. */
function flood(socket: Socket, chunk: Buffer): void {
  const pour = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", pour);
  pour();
}

async function startRaw(answer: Answer): Promise<Started> {
  const server = createServer((socket) => socket.once("data", () => answer(socket)));
  return { url: `http://127.0.0.1:${await listen(server)}/`, lured: () => 0, ...stopper(server) };
}

/** Sends us to a second server, where metadata of a cloud could be. */
async function startLure(): Promise<Started> {
  let lured = 0;
  const metadata = createServer((socket) => {
    lured += 1;
    socket.end(`${HEAD}content-length: 7\r\n\r\nsuccess`);
  });
  const location = `http://127.0.0.1:${await listen(metadata)}/latest/meta-data/`;
  const raw = await startRaw((socket) => {
    const head = `HTTP/1.1 307 Go\r\nlocation: ${location}\r\ncontent-length: 7\r\n\r\n`;
    socket.write(`${head}success`);
  });
  const stop = () => {
    raw.stop();
    metadata.close();
  };
  return { url: raw.url, lured: () => lured, stop };
}

async function startTls(pair: KeyPair): Promise<Started> {
  let heard = 0;
  const server = createHttpsServer(pair, (_, response) => {
    heard += 1;
    response.end("success");
  });
  const port = await listen(server);
  const lured = () => heard;
  return { url: `https://localhost:${port}/`, lured, ...stopper(server) };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function stopper(server: Server): Pick<Started, "stop"> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  });
  return {
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
