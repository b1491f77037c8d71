// Shows what an answer's head and body decide.
import { describe, expect, test } from "bun:test";
import { retryAfterMs } from "../../src/callback/retry-after.ts";
import { type AnswerHead, judgeBody, judgeHead } from "../../src/callback/verdict.ts";
import { timeOf } from "../support/at-its-best.ts";

const NOW = Date.parse("Mon, 23 Nov 2026 00:00:00 GMT");
const DAY_MS = 86_400_000;

function reasonOfBody(body: string | Buffer, match: "body" | "2xx" = "body"): string | undefined {
  const head = { status: 200, headers: {} };
  return judgeBody(head, Buffer.from(body), { host: "a.example", match }).error?.reason;
}

test("an answer that only the status would make a success names the setting that takes it", () => {
  const head = { status: 200, headers: {} };
  const judged = judgeBody(head, Buffer.from("ok"), { host: "shop.example", match: "body" });
  expect(judged.error?.message).toContain('successMatch "2xx"');
  const taken = judgeBody(head, Buffer.from("ok"), { host: "shop.example", match: "2xx" });
  expect(taken.error).toBeNull();
});

describe("the body", () => {
  test.each(["success", " success", "success\r\n", "\t\n\v\f\r success ", "\ufeffsuccess"])(
    "%j is a success",
    (body) => expect(reasonOfBody(body)).toBeUndefined(),
  );

  test.each(["\ufeff success\n", " \ufeffsuccess"])("%j, a mark and white space, too", (body) => {
    expect(reasonOfBody(body)).toBeUndefined();
  });

  test.each([
    "Success",
    "SUCCESS",
    "success!",
    '"success"',
    "success success",
    "",
    "\u00a0success",
    "success\u2003",
    "\ufeff\ufeffsuccess",
    "success\ufeff",
    "succ\u0435ss",
    "success\u0000",
  ])("%j is none", (body) => expect(reasonOfBody(body)).toBe("body_not_success"));

  test("costs time in proportion to its length, also when it is nothing but white space", async () => {
    const bestMs = async (length: number) => {
      const body = " ".repeat(length);
      const times: number[] = [];
      for (let round = 0; round < 50; round++) {
        times.push(await timeOf(async () => reasonOfBody(body)));
      }
      return Math.min(...times);
    };
    expect(reasonOfBody(" ".repeat(65_536))).toBe("body_not_success");
    // With the square of its length it would take 256 times as long.
    const shortMs = await bestMs(65_536 / 16);
    expect(await bestMs(65_536)).toBeLessThan(shortMs * 100);
  });

  test("does not matter where 2xx is enough", () => {
    expect(reasonOfBody("anything", "2xx")).toBeUndefined();
    expect(reasonOfBody("", "2xx")).toBeUndefined();
  });
});

function head(status: number, headers: AnswerHead["headers"] = {}): AnswerHead {
  return { status, headers };
}

describe("the head", () => {
  test.each([200, 201, 204, 299])("%d alone decides nothing", (status) => {
    expect(judgeHead(head(status), "a.example", NOW)).toBeNull();
  });

  test.each([
    [199, "status_not_2xx"],
    [300, "redirect"],
    [307, "redirect"],
    [399, "redirect"],
    [404, "status_not_2xx"],
    [500, "status_not_2xx"],
  ])("%d fails with %s and may be retried", (status, reason) => {
    const error = judgeHead(head(status), "a.example", NOW)?.error;
    expect([error?.reason, error?.final]).toEqual([reason, undefined]);
  });

  test("410 and webhook-delivery: abort-message end the retries", () => {
    expect(judgeHead(head(410), "a.example", NOW)?.error?.final).toBe(true);
    const asked = head(500, { "webhook-delivery": "abort-message" });
    expect(judgeHead(asked, "a.example", NOW)?.error?.final).toBe(true);
    const answered = judgeBody(head(200, asked.headers), Buffer.from("no"), {
      host: "a.example",
      match: "body",
    });
    expect(answered.error?.final).toBe(true);
    const other = head(500, { "webhook-delivery": "later" });
    expect(judgeHead(other, "a.example", NOW)?.error?.final).toBeUndefined();
  });

  test.each(["gzip", "br", "deflate", "zstd", "gzip, identity", "x"])(
    "an answer in %s is refused unread",
    (encoding) => {
      const coded = head(200, { "content-encoding": encoding });
      expect(judgeHead(coded, "a.example", NOW)?.error?.reason).toBe("body_compressed");
    },
  );

  test("so is one whose transfer is coded in more than chunks", () => {
    const coded = (coding: string) =>
      judgeHead(head(200, { "transfer-encoding": coding }), "a", NOW);
    expect(coded("gzip, chunked")?.error?.reason).toBe("body_compressed");
    expect(coded("gzip")?.error?.reason).toBe("body_compressed");
    expect(coded("Chunked")).toBeNull();
  });

  test("identity is no compression", () => {
    expect(judgeHead(head(200, { "content-encoding": "Identity" }), "a", NOW)).toBeNull();
  });

  test.each([429, 503])("Retry-After counts on %d", (status) => {
    const verdict = judgeHead(head(status, { "retry-after": "7" }), "a.example", NOW);
    expect(verdict?.retryAfterMs).toBe(7_000);
  });

  test.each([500, 502, 404, 301])("and not on %d", (status) => {
    const verdict = judgeHead(head(status, { "retry-after": "7" }), "a.example", NOW);
    expect(verdict?.retryAfterMs).toBeUndefined();
  });
});

describe("Retry-After", () => {
  test.each([
    ["120", 120_000],
    [" 3 ", 3_000],
    ["86400", DAY_MS],
    ["86401", DAY_MS],
    ["99999999999999999999", DAY_MS],
    ["Mon, 23 Nov 2026 00:00:30 GMT", 30_000],
    ["Monday, 23-Nov-26 00:01:00 GMT", 60_000],
    ["Mon Nov 23 00:00:10 2026", 10_000],
    ["Wed, 25 Nov 2026 00:00:00 GMT", DAY_MS],
  ])("%s is %d ms", (text, waitMs) => expect(retryAfterMs(text, NOW)).toBe(waitMs));

  test.each([
    undefined,
    "",
    "0",
    "-5",
    "+5",
    "1.5",
    "1e3",
    "0x10",
    "soon",
    "5, 10",
    "Sun, 22 Nov 2026 23:59:59 GMT",
    "2026-11-24",
    "2026-11-24T00:00:00Z",
    "Mon, 99 Nov 2026 00:00:30 GMT",
    "Mon, 23 Nov 2026 00:00:30 PST",
  ])("%s is ignored", (text) => expect(retryAfterMs(text, NOW)).toBeUndefined());
});
