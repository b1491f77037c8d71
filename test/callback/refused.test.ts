// A canary listens where callbacks must not go: refused addresses are never even connected to.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
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

const ownPrivateHosts = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ address }) => /^(10|172|192\.168|169\.254|127|fe80|fd)/.test(address))
  .map(({ address, family }) => (family === "IPv6" ? `[${address.replace(/%.*/, "")}]` : address));

const refusedHosts = [
  "127.0.0.1",
  "127.1",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "0177.0.0.1",
  "%31%32%37.0.0.1",
  "１２７.0.0.1",
  "localhost",
  "LOCALHOST",
  "localhost.",
  "0.0.0.0",
  "0",
  "[::1]",
  "[::]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[64:ff9b::7f00:1]",
  "[2002:7f00:1::]",
  ...ownPrivateHosts,
];

describe("the canary", () => {
  const lane = createTestLane({ allowLoopback: false });

  test.each(refusedHosts)("is not reached as %s", async (host) => {
    const { outcome, error } = await lane.start(taskFor(`http://${host}:${port}/?k=v`)).ended;
    expect(outcome).toBe("failed");
    // A name of this machine may not resolve everywhere; what must not happen is a connection.
    if (host !== "localhost.")
      expect(error).toMatchObject({ reason: "address_refused", final: true });
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
