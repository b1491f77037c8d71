// What load balancers are told.
import { describe, expect, test } from "bun:test";
import { createHealthApp } from "../../src/http/health.ts";
import type { Readiness } from "../../src/http/readiness.ts";
import { createRecordedLog } from "../support/recorded-log.ts";
import { readAnswer } from "./http-harness.ts";

const log = createRecordedLog();

async function ask(path: string, readiness: () => Promise<Readiness>) {
  const app = createHealthApp({ readiness, logger: log });
  return readAnswer(await app.fetch(new Request(`http://localhost${path}`)));
}

const up = async () => ({ ready: true, checks: { database: "up", queue: "up" } });

describe("/readyz", () => {
  test("is 200 when everything is up", async () => {
    const answer = await ask("/readyz", up);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      code: 0,
      msg: "ok!",
      data: { status: "ready", down: [], checks: { database: "up", queue: "up" } },
    });
  });

  test("is 200 and degraded, by name, when something is away that we can do without", async () => {
    const checks = { database: "up", queue: "degraded: nsqd is away", bus: "up" };
    const answer = await ask("/readyz", async () => ({ ready: true, checks }));
    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({ status: "degraded", down: ["queue"], checks });
  });

  test("is 503 with Retry-After when it is not ready", async () => {
    const checks = { database: "away" };
    const answer = await ask("/readyz", async () => ({ ready: false, checks }));
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(answer.body).toEqual({
      code: 1,
      msg: "not ready",
      data: { status: "unavailable", down: ["database"], checks },
    });
  });

  test("is 500 in the envelope when asking fails", async () => {
    const answer = await ask("/readyz", () => Promise.reject(new Error("secret")));
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("secret");
    expect(log.lines.at(-1)?.level).toBe("error");
  });
});

test("/healthz is 200 whatever else is wrong", async () => {
  const answer = await ask("/healthz", () => Promise.reject(new Error("down")));
  expect(answer.body).toEqual({ code: 0, msg: "ok!", data: { status: "up" } });
});

test.each([["/"], ["/task/create"], ["/swagger"], ["/swagger/json"], ["/application/create"]])(
  "a process that only executes does not serve %s",
  async (path) => {
    expect((await ask(path, up)).status).toBe(404);
  },
);
