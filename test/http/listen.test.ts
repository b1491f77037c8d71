// The app behind a real socket: what only bytes on a wire can show.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { messageOf } from "../../src/core/errors.ts";
import { createApp } from "../../src/http/app.ts";
import { type ListeningServer, listen } from "../../src/http/listen.ts";
import type { Route } from "../../src/http/route.ts";
import { rejectionOf } from "../support/rejection.ts";
import { dial, head } from "../support/wire.ts";
import { createHarness, type Harness, type Keys, signatureFor } from "./http-harness.ts";

const LIMIT = 2000;
const REFRESH = "/application/refresh-signature";
const RIGHT = '{"app_key":"k","secret_key":"s"}';

describe("over a socket", () => {
  let harness: Harness;
  let server: ListeningServer;
  let keys: Keys;
  beforeAll(async () => {
    harness = await createHarness({ maxBodyBytes: LIMIT });
    keys = await harness.createApplication();
    server = await listen(harness.app, { host: "127.0.0.1", port: 0 });
  });
  afterAll(async () => {
    await server.stop();
    await harness.close();
  });

  const post = (path: string, lines: readonly string[]) => {
    const wire = dial(server.port);
    wire.send(`POST ${path} HTTP/1.1\r\n${head(["content-type: application/json", ...lines])}`);
    return wire;
  };

  test("a chunked body is read", async () => {
    const wire = post(REFRESH, ["transfer-encoding: chunked"]);
    wire.send(`${RIGHT.length.toString(16)}\r\n${RIGHT}\r\n`);
    wire.send("0\r\n\r\n");
    expect(await wire.hears(/\}\n$/)).toStartWith("HTTP/1.1 401");
    wire.destroy();
  });

  test("a body that comes byte by byte is read", async () => {
    const wire = post(REFRESH, [`content-length: ${RIGHT.length}`]);
    for (const byte of RIGHT) {
      await new Promise((resolve) => setImmediate(resolve));
      wire.send(byte);
    }
    expect(await wire.hears(/\}\n$/)).toStartWith("HTTP/1.1 401");
    wire.destroy();
  });

  test("a body announced as too large is 413 in the envelope before it is sent", async () => {
    const wire = post(REFRESH, ["content-length: 3000000000"]);
    const heard = await wire.closed();
    expect(heard).toStartWith("HTTP/1.1 413");
    expect(heard).toContain('{"code":1,"msg":"the body must be at most 2000 bytes","data":[]}');
  });

  test("a body that becomes too large is 413 while it is still being sent", async () => {
    const wire = post(REFRESH, ["transfer-encoding: chunked"]);
    wire.send(`7d0\r\n${"x".repeat(2000)}\r\n`);
    wire.send("1\r\nx\r\n");
    const heard = await wire.closed();
    expect(heard).toStartWith("HTTP/1.1 413");
    expect(heard).toContain('"code":1');
  });

  test("pipelined requests are answered in order", async () => {
    const wire = dial(server.port);
    const request = (path: string) => `GET ${path} HTTP/1.1\r\n${head([])}`;
    wire.send(request("/healthz") + request("/nothing") + request("/readyz"));
    const heard = await wire.hears(/"ready"/);
    expect([...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      "200",
      "404",
      "200",
    ]);
    wire.destroy();
  });

  test("a signature header that is sent twice is refused, also with the same value", async () => {
    const body = '{"id":1}';
    const signed = signatureFor(keys, { method: "POST", path: "/task/detail", body });
    const lines = Object.entries(signed).map(([name, value]) => `${name}: ${value}`);
    const once = post("/task/detail", [...lines, "content-length: 8"]);
    once.send(body);
    expect(await once.hears(/\}\n$/)).toStartWith("HTTP/1.1 200");
    once.destroy();
    for (const line of lines) {
      const twice = post("/task/detail", [...lines, line, "content-length: 8"]);
      twice.send(body);
      expect(await twice.hears(/\}\n$/)).toStartWith("HTTP/1.1 401");
      twice.destroy();
    }
  });

  test("a target is signed as WHATWG URL prints it", async () => {
    const target = "/task/detail?taskNo=%E5%B8%85%27";
    const signed = signatureFor(keys, { method: "GET", path: target });
    const lines = Object.entries(signed).map(([name, value]) => `${name}: ${value}`);
    const wire = dial(server.port);
    wire.send(`GET /task/detail?taskNo=帅' HTTP/1.1\r\n${head(lines)}`);
    expect(await wire.hears(/\}\n$/)).toContain("Unknown!");
    wire.destroy();
  });

  test.each([
    ["TRACE /healthz", "127.0.0.1", "405"],
    ["TRACE /healthz", "x", "405"],
    ["TRACE /nothing", "x", "404"],
    ["CONNECT example.com:80", "x", "400"],
    ["GET http://x/healthz", "x", "200"],
  ])("%s at %s is %s in the envelope", async (line, host, status) => {
    const wire = dial(server.port);
    wire.send(`${line} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(await wire.hears(/"code":\d.*\}\n$/)).toStartWith(`HTTP/1.1 ${status}`);
    wire.destroy();
  });

  test("HTTP/1.0 without a Host is 400", async () => {
    const wire = dial(server.port);
    wire.send("GET /healthz HTTP/1.0\r\n\r\n");
    expect(await wire.closed()).toContain('"code":1');
  });

  test.each([
    ["Host: x/aaaaaaaa", "400"],
    ["Host: a b", "400"],
    ["Host: x", "200"],
  ])("%s is %s", async (line, status) => {
    const wire = dial(server.port);
    wire.send(`GET /healthz HTTP/1.1\r\n${line}\r\n\r\n`);
    expect(await wire.hears(/\}\n$/)).toStartWith(`HTTP/1.1 ${status}`);
    wire.destroy();
  });

  test("HEAD has no body and the length of GET's", async () => {
    const wire = dial(server.port);
    wire.send(`HEAD /healthz HTTP/1.1\r\n${head([])}`);
    const heard = await wire.hears(/\r\n\r\n/);
    const body = await (await fetch(`http://127.0.0.1:${server.port}/healthz`)).text();
    expect(heard.toLowerCase()).toContain(`content-length: ${body.length}\r\n`);
    expect(heard).toEndWith("\r\n\r\n");
    wire.destroy();
  });

  test("a client that leaves in the middle of its body is no defect", async () => {
    const before = harness.log.lines.length;
    const wire = post(REFRESH, ["content-length: 100"]);
    wire.send("{");
    await dialAndAsk(server.port);
    wire.destroy();
    await dialAndAsk(server.port);
    const levels = harness.log.lines.slice(before).map(({ level }) => level);
    expect(levels).not.toContain("error");
    expect(levels).not.toContain("warn");
  });
});

async function dialAndAsk(port: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
  await answer.text();
}

describe("listening", () => {
  const app = createApp([]);

  test("on a port in use is a configuration error that names the holder", async () => {
    const holder = await listen(app, { host: "127.0.0.1", port: 0 });
    const error = await rejectionOf(listen(app, { host: "127.0.0.1", port: holder.port }));
    const where = `port ${holder.port} on 127.0.0.1 is in use`;
    const who = process.platform === "linux" ? ` by pid ${process.pid} \\(.*bun` : "";
    expect(error).toMatchObject({
      code: "configuration",
      message: expect.stringMatching(new RegExp(where + who)),
    });
    await holder.stop();
  });

  test("on a port that some other program holds, too", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const error = await rejectionOf(listen(app, { host: "127.0.0.1", port }));
    expect(messageOf(error)).toContain(`port ${port} on 127.0.0.1 is in use`);
    await new Promise((resolve) => other.close(resolve));
  });

  test("on an address of another machine is a configuration error", async () => {
    const error = await rejectionOf(listen(app, { host: "203.0.113.7", port: 0 }));
    expect(error).toMatchObject({ code: "configuration" });
  });
});

describe("stopping", () => {
  test("lets a request in progress end, closes idle connections and takes no new ones", async () => {
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const slow: Route = {
      method: "GET",
      path: "/slow",
      answer: async () => {
        enter();
        await gate;
        return new Response("done");
      },
    };
    const server = await listen(createApp([slow]), { host: "127.0.0.1", port: 0 });
    const idle = dial(server.port);
    idle.send(`GET /nothing HTTP/1.1\r\n${head([])}`);
    await idle.hears(/404/);
    const busy = dial(server.port);
    busy.send(`GET /slow HTTP/1.1\r\n${head([])}`);
    await entered;
    const stopped = server.stop();
    await idle.closed();
    expect(await rejectionOf(dialAndAsk(server.port))).toBeInstanceOf(Error);
    open();
    expect(await busy.closed()).toEndWith("done");
    await stopped;
  });
});
