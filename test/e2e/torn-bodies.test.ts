// Bodies that never come to their end, over real sockets against the real program: they cost no memory, and others work.
import { expect, setDefaultTimeout } from "bun:test";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { signatureFor } from "../http/http-harness.ts";
import { type ApiClient, createClient } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { afterAll, afterEach, beforeAll, describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

setDefaultTimeout(TEST_LIMIT_MS);

const MIB = 1 << 20;
const COUNT = 1_000;
const CREATE = "/task/create";
const REFRESH = "/application/refresh-signature";
const TORN = Buffer.alloc(MIB - 1, "x");

let program: Program;
let api: ApiClient;
const sockets: Socket[] = [];
beforeAll(async () => {
  program = await startProgram();
  api = await createClient(program.url);
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => program.stop());

interface Torn {
  /** What the server has said. */
  heard(): string;
}

/** All of a request but the last byte of its body. */
async function tear(path: string, headers: Readonly<Record<string, string>>): Promise<Torn> {
  const socket = connect(Number(new URL(program.url).port), "127.0.0.1");
  sockets.push(socket);
  let heard = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    heard += chunk;
  });
  const gone = new Promise<void>((resolve) => {
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
  });
  const lines = Object.entries({ "content-length": String(MIB), ...headers });
  socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\n`);
  socket.write(`${lines.map(([name, value]) => `${name}: ${value}`).join("\r\n")}\r\n\r\n`);
  const sent = new Promise<void>((resolve) => socket.write(TORN, () => resolve()));
  await Promise.race([sent, gone]);
  return { heard: () => heard };
}

async function tearMany(path: string, headers: () => Record<string, string>): Promise<Torn[]> {
  const torn: Torn[] = [];
  for (let at = 0; at < COUNT; at += 50) {
    const some = Array.from({ length: 50 }, () => tear(path, headers()));
    torn.push(...(await Promise.all(some)));
  }
  return torn;
}

function rssMb(): number {
  const status = readFileSync(`/proc/${program.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

async function createsTask(by: ApiClient): Promise<void> {
  expect(await by.createJob("countdown", { from: 1 })).toBeGreaterThan(0);
}

function answered(torn: readonly Torn[], status: string): number {
  return torn.filter((one) => one.heard().startsWith(`HTTP/1.1 ${status}`)).length;
}

const madeUp = () => ({ ...signedHead(), app_key: crypto.randomUUID() });
const signedHead = () =>
  signatureFor(
    { appKey: api.appKey, secretKey: api.secret },
    { method: "POST", path: CREATE, body: "x".repeat(8) },
  );

describe(`${COUNT} torn bodies of 1 MiB`, () => {
  test.each([
    { what: "without a signature", path: CREATE, headers: () => ({}), status: "401" },
    { what: "of made-up keys", path: CREATE, headers: madeUp, status: "401" },
    { what: "to a path anybody may send to", path: REFRESH, headers: () => ({}), status: "413" },
  ])("$what are refused unread", async ({ what, path, headers, status }) => {
    const before = rssMb();
    const torn = await tearMany(path, headers);
    await createsTask(api);
    const grown = rssMb() - before;
    console.log(`${what}: RSS ${Math.round(before)} MB, grown by ${Math.round(grown)} MB`);
    expect(grown).toBeLessThan(300);
    await eventually(() =>
      answered(torn, status) + answered(torn, "503") === COUNT ? true : undefined,
    );
  });

  test("of the operator take half of the room, and applications work", async () => {
    const before = rssMb();
    const torn = await tearMany("/application/create", () => ({
      "content-type": "application/json",
    }));
    await createsTask(api);
    expect(rssMb() - before).toBeLessThan(300);
    await eventually(() => (answered(torn, "503") >= COUNT - 32 ? true : undefined));
  });

  test("of one application take half of the room, and another one works", async () => {
    const stranger = await createClient(program.url);
    const before = rssMb();
    const torn = await tearMany(CREATE, signedHead);
    const grown = rssMb() - before;
    console.log(`signed: RSS ${Math.round(before)} MB, grown by ${Math.round(grown)} MB`);
    expect(grown).toBeLessThan(300);
    await eventually(() => (answered(torn, "503") >= COUNT - 32 ? true : undefined));
    const refused = torn.find((one) => one.heard().startsWith("HTTP/1.1 503"))?.heard() ?? "";
    expect(refused.toLowerCase()).toContain("retry-after: 1");
    expect(refused).toContain("MAX_BODIES_MB");
    await createsTask(stranger);
  });
});
