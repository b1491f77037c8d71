// Shows what is kept of a delivery, and that nothing secret is.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import type { DeliveryLog } from "../../src/core/views/delivery-log.ts";
import { createTestLane, taskFor } from "./cases.ts";

const lane = createTestLane();
let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://receiver");
    const status = Number(url.searchParams.get("status") ?? 200);
    const body = url.searchParams.has("echo") ? JSON.stringify(request.headers) : "success";
    const filler = "é".repeat(Number(url.searchParams.get("fill") ?? 0));
    response.writeHead(status, {
      "set-cookie": "session=hunter2",
      "x-api-key": "hunter2",
      "x-trace": "abc",
    });
    response.end(body + filler);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await lane.close();
  server.closeAllConnections();
  server.close();
});

async function logOf(path: string, timeoutMs = 5_000): Promise<DeliveryLog> {
  const { delivery } = await lane.start(taskFor(base + path, { timeoutMs })).ended;
  if (delivery === undefined) throw new Error("no log was kept");
  return delivery;
}

describe("the log of a delivery", () => {
  test("says where it went, how long each step took, and what was answered", async () => {
    const log = await logOf("/hook?token=hunter2&empty=&b=1#x");
    expect(log.url).toBe(`${base}/hook?token=&empty=&b=`);
    expect(log.address).toMatch(/^(127\.0\.0\.1|::1)$/);
    expect(log).toMatchObject({
      status: 200,
      response_body: "success",
      response_truncated: false,
    });
    const { dns, connect, tls, first_byte, total } = log.timings;
    expect(tls).toBeNull();
    for (const ms of [dns, connect, first_byte]) expect(ms).toBeGreaterThanOrEqual(0);
    expect(total).toBeGreaterThanOrEqual(first_byte ?? Number.POSITIVE_INFINITY);
    expect(log.response_headers["x-trace"]).toBe("abc");
    expect(log.request_headers["content-type"]).toBe("application/json");
  });

  test("has no times of a connection that was there already", async () => {
    await logOf("/");
    const { timings, address } = await logOf("/");
    expect(timings).toMatchObject({ dns: null, connect: null, tls: null });
    expect(address).not.toBeNull();
  });

  test("keeps secrets out: of headers, of the query, and of an answer that echoes them", async () => {
    const log = await logOf("/?echo=1&status=500&key=hunter2");
    expect(log.request_headers["signature"]).toBe("[redacted]");
    expect(log.response_headers["set-cookie"]).toBe("[redacted]");
    expect(log.response_headers["x-api-key"]).toBe("[redacted]");
    expect(log.response_body).toContain('"signature":"[redacted]"');
    expect(JSON.stringify(log)).not.toContain("hunter2");
  });

  test("keeps the first 4 KiB of the answer, also of a failure", async () => {
    const log = await logOf("/?status=503&fill=9000");
    expect(log.status).toBe(503);
    expect(log.response_truncated).toBe(true);
    expect(Buffer.byteLength(log.response_body)).toBeLessThanOrEqual(4_096 + 3);
    expect(log.response_body).toStartWith("successé");
  });

  test("without an answer there is still where it went", async () => {
    const { delivery } = await lane.start(taskFor("http://127.0.0.1:1/?a=b")).ended;
    expect(delivery).toMatchObject({ url: "http://127.0.0.1:1/?a=", status: null, address: null });
  });
});

describe("connecting", () => {
  test("has a limit of its own, TLS included", async () => {
    const silent = createTcpServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const impatient = createTestLane({ connectLimitMs: 150 });
    const task = taskFor(`https://localhost:${port}/`, { timeoutMs: 600_000 });
    const { outcome, error } = await impatient.start(task).ended;
    expect([outcome, error?.reason]).toEqual(["failed", "connect_failed"]);
    // A server that took the connection and is slow to answer is not cut off by it.
    const patient = await impatient.start(taskFor(`http://127.0.0.1:${port}/`, { timeoutMs: 600 }))
      .ended;
    expect(patient.outcome).toBe("timed_out");
    silent.close();
    await impatient.close();
  });
});

test("a stopped delivery says that the receiver may go on, once it has heard it", async () => {
  const silent = createTcpServer();
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const attempt = lane.start(taskFor(`http://127.0.0.1:${port}/`));
  const [socket] = (await once(silent, "connection")) as [Socket];
  await once(socket, "data");
  attempt.stop("cancel");
  expect(await attempt.gone).toMatchObject({
    killed: true,
    method: "http-abort",
    remoteMayContinue: true,
  });
  socket.destroy();
  silent.close();
});
