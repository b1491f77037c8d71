// Real receivers on loopback, each answering a path in its own bad (or good) way.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary } from "../support/find-binary.ts";

/** A request as it arrived. */
export interface Heard {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface Receiver {
  readonly port: number;
  readonly heard: readonly Heard[];
  /** Connections it ever accepted. */
  connections(): number;
  /** Connections open right now. */
  open(): number;
  close(): Promise<void>;
}

const HEAD = "HTTP/1.1 200 OK\r\n";

/** Answers the first request of a connection and hangs up at the second, like a server that closes idle ones. */
function answerOnce(socket: Socket): void {
  if (socket.bytesWritten > 0) socket.resetAndDestroy();
  else socket.write(`${HEAD}content-length: 7\r\n\r\nsuccess`);
}

/** What each path writes once the request is in; anything else hangs up. */
const answers: Readonly<Record<string, (socket: Socket) => void>> = {
  "/success": (socket) => socket.write(`${HEAD}content-length: 7\r\n\r\nsuccess`),
  "/spaced": (socket) => socket.write(`${HEAD}content-length: 10\r\n\r\n success\n\n`),
  "/created": (socket) => socket.write("HTTP/1.1 201 Created\r\ncontent-length: 7\r\n\r\nsuccess"),
  "/early-hints": (socket) =>
    socket.write(`HTTP/1.1 100 Continue\r\n\r\n${HEAD}content-length: 7\r\n\r\nsuccess`),
  "/until-close": (socket) => socket.end(`${HEAD}\r\nsuccess`),
  "/chunked": (socket) =>
    socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n4\r\nsucc\r\n3\r\ness\r\n0\r\n\r\n`),
  "/wrong-body": (socket) => socket.write(`${HEAD}content-length: 2\r\n\r\nok`),
  "/capitals": (socket) => socket.write(`${HEAD}content-length: 7\r\n\r\nSUCCESS`),
  "/quoted": (socket) => socket.write(`${HEAD}content-length: 9\r\n\r\n"success"`),
  "/no-content": (socket) => socket.write("HTTP/1.1 204 No Content\r\n\r\n"),
  "/error": (socket) =>
    socket.write("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 7\r\n\r\nsuccess"),
  "/redirect": (socket) =>
    socket.write("HTTP/1.1 302 Found\r\nlocation: /success\r\ncontent-length: 7\r\n\r\nsuccess"),
  "/upgrade": (socket) =>
    socket.write("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nsuccess"),
  "/not-http": (socket) => socket.end("220 smtp.example ready\r\n"),
  "/cut-body": (socket) => socket.end(`${HEAD}content-length: 70\r\n\r\nsuccess`),
  "/cut-chunk": (socket) => socket.end(`${HEAD}transfer-encoding: chunked\r\n\r\n7\r\nsuccess`),
  "/endless-body": (socket) => writeEndlessly(socket, "s".repeat(4_096)),
  "/too-large": (socket) =>
    socket.write(`${HEAD}content-length: 65537\r\n\r\n${" ".repeat(65_530)}success`),
  "/just-fits": (socket) =>
    socket.write(`${HEAD}content-length: 65536\r\n\r\n${" ".repeat(65_529)}success`),
  "/endless-head": (socket) => writeEndlessly(socket, `x-filler: ${"a".repeat(4_096)}\r\n`),
  "/once-per-connection": answerOnce,
  "/silent": () => undefined,
  "/slow-body": (socket) => drip(socket, `${HEAD}content-length: 7\r\n\r\n`, "success"),
  "/slow-head": (socket) => drip(socket, "HTTP/1.1 2", "00 OK\r\ncontent-length: 7\r\n\r\nsuccess"),
};

function writeEndlessly(socket: Socket, chunk: string): void {
  socket.write(HEAD);
  if (chunk.startsWith("s")) socket.write("\r\n");
  const timer = setInterval(() => socket.write(chunk), 1);
  socket.once("close", () => clearInterval(timer));
}

/** One byte per second after `start`. */
function drip(socket: Socket, start: string, rest: string): void {
  socket.write(start);
  let at = 0;
  const timer = setInterval(() => {
    socket.write(rest.charAt(at));
    at += 1;
  }, 1_000);
  socket.once("close", () => clearInterval(timer));
}

/** Speaks just enough HTTP to misbehave below what node:http lets a server do. */
export function startRawReceiver(): Promise<Receiver> {
  const heard: Heard[] = [];
  const server = createTcpServer((socket) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const request = wholeRequest(text);
      if (request === undefined) return;
      text = "";
      heard.push(request);
      const answer = answers[request.path.replace(/\?.*/, "")];
      if (answer === undefined) socket.destroy();
      else answer(socket);
    });
  });
  return listen(server, heard);
}

function wholeRequest(text: string): Heard | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => headerOf(line)));
  const body = Buffer.from(text.slice(end + 4), "latin1");
  if (body.byteLength < Number(headers["content-length"])) return undefined;
  return { path: first.split(" ")[1] ?? "", headers, body: body.toString("utf8") };
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

/** A well-behaved node:http server that always answers `success`. */
export function startGoodReceiver(): Promise<Receiver> {
  const heard: Heard[] = [];
  return listen(createHttpServer(answerSuccess(heard)), heard);
}

/** HTTPS with a certificate that nobody vouches for. */
export function startSelfSignedReceiver(): Promise<Receiver> {
  const heard: Heard[] = [];
  return listen(createHttpsServer(selfSigned(), answerSuccess(heard)), heard);
}

function answerSuccess(heard: Heard[]) {
  return (request: IncomingMessage, response: { end(text: string): void }): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const headers = request.headers as Heard["headers"];
      heard.push({
        path: request.url ?? "",
        headers,
        body: Buffer.concat(chunks).toString("utf8"),
      });
      response.end("success");
    });
  };
}

function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), "self-signed-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const how = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
  const what = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const openssl = findBinary("openssl");
  if (openssl === undefined) throw new Error("the TLS receiver needs openssl on the PATH");
  execFileSync(openssl, [...how.split(" "), ...what, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  const pair = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  rmSync(folder, { recursive: true });
  return pair;
}

async function listen(server: TcpServer | Server, heard: readonly Heard[]): Promise<Receiver> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    connections: () => connections,
    open: () => sockets.size,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
