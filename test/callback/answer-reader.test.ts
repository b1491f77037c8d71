// Shows that answers are read the same however they are cut into pieces, and that nothing ambiguous passes.
import { describe, expect, test } from "bun:test";
import { createAnswerReader } from "../../src/callback/answer-reader.ts";
import { BadAnswer } from "../../src/callback/bad-answer.ts";

interface Read {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly isWhole: boolean;
  readonly canBeKept: boolean;
}

/** Reads `text` in pieces of `size` bytes; then the receiver sends no more. A refusal is its reason. */
function read(text: string, size = text.length): Read | string {
  let [status, headers, body, isWhole]: [number | undefined, Read["headers"], string, boolean] = [
    undefined,
    {},
    "",
    false,
  ];
  const reader = createAnswerReader({
    onHead: (head) => {
      status = head.status;
      headers = { ...head.headers };
    },
    onBody: (chunk) => {
      body += chunk.toString("latin1");
    },
    onEnd: () => {
      isWhole = true;
    },
  });
  try {
    const bytes = Buffer.from(text, "latin1");
    for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size));
    const canBeKept = reader.canBeKept();
    reader.finish();
    return { status, headers, body, isWhole, canBeKept };
  } catch (thrown) {
    if (thrown instanceof BadAnswer) return thrown.reason;
    throw thrown;
  }
}

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/** What was sent, what is read of it (status, body, whole, fit for another request). */
const answers: readonly (readonly [string, string, unknown[]])[] = [
  ["a length", `${OK}content-length: 7\r\n\r\nsuccess`, [200, "success", true, true]],
  ["no reason phrase", "HTTP/1.1 200 \r\ncontent-length: 1\r\n\r\nx", [200, "x", true, true]],
  ["a bare status", "HTTP/1.1 204\r\n\r\n", [204, "", true, true]],
  ["length 0", `${OK}content-length: 0\r\n\r\n`, [200, "", true, true]],
  ["304 has no body", "HTTP/1.1 304 N\r\ncontent-length: 9\r\n\r\n", [304, "", true, true]],
  ["no length: until it closes", `${OK}\r\nsuccess`, [200, "success", true, false]],
  [
    "connection: close",
    `${OK}connection: Close\r\ncontent-length: 1\r\n\r\nx`,
    [200, "x", true, false],
  ],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx", [200, "x", true, false]],
  [
    "HTTP/1.0 that keeps",
    "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\nx",
    [200, "x", true, true],
  ],
  ["a cut body", `${OK}content-length: 9\r\n\r\nsuccess`, [200, "success", false, false]],
  ["something behind it", `${OK}content-length: 1\r\n\r\nxy`, [200, "x", true, false]],
  ["chunks", `${CHUNKED}4\r\nsucc\r\n3;ext=1\r\ness\r\n0\r\n\r\n`, [200, "success", true, true]],
  ["a trailer", `${CHUNKED}1\r\nx\r\n00\r\nx-sum: 1\r\n\r\n`, [200, "x", true, true]],
  ["a cut chunk", `${CHUNKED}9\r\nsuccess`, [200, "success", false, false]],
  ["no last chunk", `${CHUNKED}1\r\nx\r\n`, [200, "x", false, false]],
  ["a coding we do not know", `${OK}transfer-encoding: gzip\r\n\r\nx`, [200, "x", true, false]],
  [
    "103 before it",
    `HTTP/1.1 103 E\r\nlink: x\r\n\r\n${OK}content-length: 1\r\n\r\nx`,
    [200, "x", true, true],
  ],
  ["101", "HTTP/1.1 101 S\r\nupgrade: x\r\n\r\nabc", [101, "", true, false]],
];

const refused: readonly (readonly [string, string, BadAnswer["reason"]])[] = [
  ["SMTP", "220 smtp.example ready\r\n", "not_http"],
  ["HTTP/2", "HTTP/2 200\r\n\r\n", "not_http"],
  ["HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", "not_http"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "not_http"],
  ["line ends without CR", "HTTP/1.1 200 OK\ncontent-length: 1\n\nx\r\n\r\n", "not_http"],
  ["a space before the colon", `${OK}content-length : 1\r\n\r\nx`, "not_http"],
  ["a NUL", `${OK}x: a\0b\r\n\r\n`, "not_http"],
  ["a line without a colon", `${OK}x\r\n\r\n`, "not_http"],
  ["two lengths", `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`, "not_http"],
  ["a signed length", `${OK}content-length: +1\r\n\r\nx`, "not_http"],
  ["a length in hex", `${OK}content-length: 0x1\r\n\r\nx`, "not_http"],
  [
    "a length and chunks",
    `${OK}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    "not_http",
  ],
  ["a chunk without a size", `${CHUNKED}\r\nx\r\n`, "not_http"],
  ["a negative chunk", `${CHUNKED}-1\r\nx\r\n`, "not_http"],
  ["a huge chunk size", `${CHUNKED}${"f".repeat(17)}\r\nx\r\n`, "not_http"],
  ["a chunk longer than it says", `${CHUNKED}1\r\nxyz\r\n0\r\n\r\n`, "not_http"],
  ["a head that is too large", `${OK}x: ${"a".repeat(65_536)}\r\n\r\n`, "response_too_large"],
  ["a head without an end", `${OK}x: ${"a".repeat(65_600)}`, "response_too_large"],
  [
    "interim answers without end",
    "HTTP/1.1 103 E\r\nlink: x\r\n\r\n".repeat(3_000),
    "response_too_large",
  ],
  ["a trailer without end", `${CHUNKED}0\r\n${"x: y\r\n".repeat(20_000)}`, "response_too_large"],
  ["a chunk extension without end", `${CHUNKED}1;${"e".repeat(70_000)}`, "response_too_large"],
];

describe("an answer", () => {
  test.each(answers)("with %s", (_, text, expected) => {
    const whole = read(text) as Read;
    const shown: unknown[] = [whole.status, whole.body, whole.isWhole, whole.canBeKept];
    expect(shown).toEqual(expected);
    for (const size of [1, 2, 3, 7, 16]) expect(read(text, size)).toEqual(whole);
  });

  test("takes nothing of the answer before it, whether its head is the same or almost", () => {
    const later = OK.replace("200", "201");
    const [one, same, other] = [
      `${OK}x-a: 1\r\ncontent-length: 1\r\n\r\na`,
      `${OK}x-a: 1\r\ncontent-length: 1\r\n\r\nb`,
      `${later}x-a: 2\r\ncontent-length: 2\r\n\r\nab`,
    ].map((text) => read(text));
    const headers = { "x-a": "1", "content-length": "1" };
    const whole = { isWhole: true, canBeKept: true };
    expect(one).toEqual({ status: 200, headers, body: "a", ...whole });
    expect(same).toEqual({ status: 200, headers, body: "b", ...whole });
    const others = { "x-a": "2", "content-length": "2" };
    expect(other).toEqual({ status: 201, headers: others, body: "ab", ...whole });
    expect(read(`HTTP/2 ${OK}`)).toBe("not_http");
  });

  test("joins repeated headers, unfolds long ones and ignores the case of their names", () => {
    const head = `${OK}X-A: 1\r\nx-a:2\r\nx-folded: one\r\n  two\t \r\n__proto__: x\r\ncontent-length: 0\r\n\r\n`;
    const { headers } = read(head) as Read;
    expect(headers).toMatchObject({ "x-a": "1, 2", "x-folded": "one two" });
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  });
});

describe("refused is", () => {
  test.each(refused)("%s", (_, text, reason) => {
    expect(read(text)).toBe(reason);
    // In single bytes all of it costs no more than a few passes.
    expect(read(text, 1)).toBe(reason);
  });
});
