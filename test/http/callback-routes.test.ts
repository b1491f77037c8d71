// Shows the routes around callbacks: hosts, attempts, and what a linkUrl may be.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { linkUrlWarning } from "../../src/core/link-url.ts";
import type { HostState } from "../../src/core/views/hosts.ts";
import { claimOf, finishOf } from "../contract/store/samples.ts";
import {
  type Answer,
  createHarness,
  type Harness,
  type Keys,
  signatureFor,
} from "./http-harness.ts";

const TOKEN = "operators-only";
let harness: Harness;
let own: Harness;
beforeAll(async () => {
  harness = await createHarness({ adminToken: TOKEN, callbackPorts: [8] });
  own = await createHarness();
});
afterAll(() => Promise.all([harness.close(), own.close()]));

const admin = { headers: { authorization: `Bearer ${TOKEN}` } };

function stateOf(change: Partial<HostState>): HostState {
  const gate = { state: "closed", inFlight: 1, failures: 0, nextTry: null } as const;
  const applications = [{ appKey: "one", ...gate }];
  return { host: "a:80", ...gate, applications, omitted: 0, ...change };
}

describe("GET /api/v1/hosts", () => {
  test("asks every executor, and shows the worst of what they say", async () => {
    const { store, bus } = harness;
    for (const serviceId of ["one", "two"]) {
      await store.executors.register({ serviceId, host: "h", pid: 1 });
    }
    const bad = { state: "open", failures: 6, inFlight: 2, nextTry: 77 } as const;
    const applications = ["one", "all"].map((appKey) => ({ appKey, ...bad }));
    const open = stateOf({ ...bad, applications, omitted: 3 });
    await bus.serve("one", async () => ({ kind: "hosts", hosts: [stateOf({})] }));
    await bus.serve("two", async () => ({
      kind: "hosts",
      hosts: [open, stateOf({ host: "b:1" })],
    }));
    const { body, status } = await harness.ask("/api/v1/hosts", admin);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      hosts: [
        {
          host: "a:80",
          state: "open",
          inFlight: 3,
          failures: 6,
          nextTry: 77,
          applications: [
            { appKey: "all", state: "open", inFlight: 2, failures: 6, nextTry: 77 },
            { appKey: "one", state: "open", inFlight: 3, failures: 6, nextTry: 77 },
          ],
          omitted: 3,
          executors: [
            { serviceId: "one", state: "closed", inFlight: 1, failures: 0, nextTry: null },
            { serviceId: "two", ...bad },
          ],
        },
        { host: "b:1", state: "closed", inFlight: 1, failures: 0, nextTry: null },
      ],
      silent: [],
    });
  });

  test("takes what an executor of the release before says, which knows of no applications", async () => {
    const { host, state, inFlight, failures, nextTry } = stateOf({});
    const old = [{ host, state, inFlight, failures, nextTry }] as unknown as HostState[];
    await harness.bus.serve("one", async () => ({ kind: "hosts", hosts: old }));
    await harness.bus.serve("two", async () => ({ kind: "hosts", hosts: [] }));
    const { body } = await harness.ask("/api/v1/hosts", admin);
    expect(body).toMatchObject({ hosts: [{ host, applications: [], omitted: 0 }] });
  });

  test("names executors that are silent", async () => {
    await own.store.executors.register({ serviceId: "gone", host: "h", pid: 1 });
    const { body } = await own.ask("/api/v1/hosts");
    expect(body as unknown).toEqual({ hosts: [], silent: ["gone"] });
  });

  test("is the operator's; failures are problem+json", async () => {
    const { status, headers, body } = await harness.ask("/api/v1/hosts");
    expect(status).toBe(401);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body).toMatchObject({ status: 401, code: "unauthorised" });
    const proxied = await own.ask("/api/v1/hosts", { headers: { "x-forwarded-for": "1.2.3.4" } });
    expect(proxied.status).toBe(401);
  });
});

function getSigned(keys: Keys, path: string): Promise<Answer> {
  return own.ask(path, { headers: signatureFor(keys, { method: "GET", path }) });
}

describe("GET /task/{id}/attempts", () => {
  test("shows each attempt with what went over the wire, to its application alone", async () => {
    const keys = await own.createApplication();
    const task = { taskNo: "d-1", name: "n", timeout: 1_000, content: { order: 7 } };
    const created = await own.postSigned(keys, "/task/create", task);
    const { taskId } = created.body.data as { taskId: number };
    const claim = claimOf("", 1, { lane: "callback", jobs: null });
    const [claimed] = (await own.store.tasks.turn([], claim)).claimed;
    if (claimed === undefined) throw new Error("nothing was claimed");
    const receipt = { killed: true, method: "http-abort", latencyMs: 3 } as const;
    const end = { outcome: "failed", delivery, receipt } as const;
    await own.store.tasks.turn([finishOf(claimed, { end })], null);

    const { body } = await getSigned(keys, `/task/${taskId}/attempts`);
    const shown = { killed: true, method: "http-abort", latency_ms: 3, stack: [], at: null };
    const attempt = { attempt: 1, outcome: "failed", delivery, fence: 1, autopsy: null };
    expect(body).toMatchObject({ code: 0, data: { attempts: [{ ...attempt, receipt: shown }] } });
    const stranger = await own.createApplication();
    const unknown = await getSigned(stranger, `/task/${taskId}/attempts`);
    expect(unknown.body).toEqual({ code: 1, msg: "Unknown!", data: [] });
    expect((await getSigned(keys, "/task/x/attempts")).status).toBe(422);
    expect((await own.ask(`/task/${taskId}/attempts`)).status).toBe(401);
    expect((await own.ask(`/task/${taskId}/attempts`, { method: "POST" })).status).toBe(405);
  });
});

describe("a linkUrl", () => {
  const create = (linkUrl: string) =>
    harness.post("/application/create", { appName: "a", linkUrl }, admin.headers);

  test.each([
    "http://user@shop.example/",
    "http://user:word@shop.example/",
    "http://@shop.example/",
    "http://shop.example:22/",
    "http://shop.example:1023/",
    "https://shop.example:25/x",
    "ftp://shop.example/",
    "file:///etc/passwd",
  ])("%s is refused, naming the field", async (linkUrl) => {
    const { status, body } = await create(linkUrl);
    expect(status).toBe(422);
    expect(body.data).toMatchObject({ errors: [{ field: "linkUrl" }] });
  });

  test.each([
    "http://shop.example/",
    "https://shop.example:443/",
    "http://shop.example:1024/",
    "http://shop.example:8/",
    "http://8.8.8.8/",
    "https://[2606:4700:4700::1111]:8443/",
  ])("%s is taken without a word", async (linkUrl) => {
    const { body } = await create(linkUrl);
    expect([body.code, Object.keys(body.data as object).includes("warnings")]).toEqual([0, false]);
  });

  test.each([
    "http://127.0.0.1",
    "http://localhost:3000/",
    "http://api.localhost/",
    "http://2130706433/",
    "http://10.0.0.7:8080/",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://169.254.169.254/",
  ])("%s is taken with a warning", async (linkUrl) => {
    const { body } = await create(linkUrl);
    expect(body.code).toBe(0);
    expect(body.data).toMatchObject({ warnings: [expect.stringContaining("CALLBACK_ALLOW")] });
  });

  test.each([
    // biome-ignore format: a table is read by its columns
    ["http://10.0.0.7/",      { callbackAllow: null, allowsLoopback: true },                "refused"],
    ["http://[::1]/", { callbackAllow: null, allowsLoopback: false }, "refused"],
    ["http://[::1]/", { callbackAllow: null, allowsLoopback: true }, "sent"],
    ["http://localhost/", { callbackAllow: null, allowsLoopback: true }, "sent"],
    ["http://127.0.0.1/", { callbackAllow: [], allowsLoopback: false }, "refused"],
    ["http://127.0.0.1/", { callbackAllow: ["127.0.0.0/8"], allowsLoopback: false }, "quiet"],
    ["http://localhost/", { callbackAllow: ["127.0.0.0/8"], allowsLoopback: false }, "refused"],
    ["http://localhost/", { callbackAllow: ["127.0.0.1", "::1"], allowsLoopback: false }, "quiet"],
    [
      "http://api.localhost/",
      { callbackAllow: ["API.localhost."], allowsLoopback: false },
      "quiet",
    ],
    ["http://10.0.0.7/", { callbackAllow: ["10.0.0.0/8"], allowsLoopback: false }, "quiet"],
    ["http://10.0.0.7/", { callbackAllow: ["10.0.1.0/24"], allowsLoopback: false }, "refused"],
  ])("%s under %j: callbacks there are %s", (linkUrl, reachable, word) => {
    const warning = linkUrlWarning(linkUrl, reachable);
    if (word === "quiet") expect(warning).toBeNull();
    else expect(warning).toContain(`callbacks are ${word} there`);
  });
});

const delivery = {
  url: "https://shop.example/callbacks?token=",
  address: "203.0.113.7",
  timings: { dns: 3.1, connect: null, tls: null, first_byte: 110.2, total: 110.8 },
  status: 503,
  request_headers: { signature: "[redacted]" },
  response_headers: {},
  response_body: "busy",
  response_truncated: false,
} as const;
