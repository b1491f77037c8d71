// A canary listens where callbacks must not go: refused addresses are never even connected to.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { bypassHosts, bypassUrls, REFUSALS } from "./bypass-hosts.ts";
import { createTestLane, taskFor } from "./cases.ts";

let canary: Server;
let port: number;
let connections = 0;
beforeAll(async () => {
  canary = createServer((socket) => {
    connections += 1;
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nsuccess");
  });
  // Every address of this machine, IPv6 too where there is one.
  canary.listen(0);
  await once(canary, "listening");
  port = (canary.address() as AddressInfo).port;
});
afterAll(() => {
  canary.close();
});

describe("the canary", () => {
  const lane = createTestLane({ allowLoopback: false });

  test.each(bypassHosts)("is not reached as %s", async (host) => {
    const { outcome, error } = await lane.start(taskFor(`http://${host}:${port}/?k=v`)).ended;
    expect(outcome).toBe("failed");
    expect(REFUSALS).toContain(error?.reason ?? "");
    if (error?.reason === "address_refused") expect(error.final).toBe(true);
    expect(connections).toBe(0);
  });

  test.each(bypassUrls)("is not reached by %j", async (url) => {
    const task = taskFor(url.replace("PORT", String(port)));
    const { outcome, error } = await lane.start(task).ended;
    expect(outcome).toBe("failed");
    expect(REFUSALS).toContain(error?.reason ?? "");
    expect(connections).toBe(0);
  });

  test("is not reached over HTTPS either", async () => {
    const ends = await Promise.all(
      ["127.0.0.1", "localhost"].map(
        (host) => lane.start(taskFor(`https://${host}:${port}/`)).ended,
      ),
    );
    expect(ends.map(({ error }) => error?.reason)).toEqual(["address_refused", "address_refused"]);
    expect(connections).toBe(0);
  });

  test("is reached where it is allowed, which proves that it sings", async () => {
    const allowed = createTestLane({ allow: ["127.0.0.0/8"], allowLoopback: false });
    const end = await allowed.start(taskFor(`http://127.0.0.1:${port}/`)).ended;
    expect(end.outcome).toBe("succeeded");
    expect(connections).toBe(1);
    await allowed.close();
  });
});
