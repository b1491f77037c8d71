// Shows what a log line looks like and what never gets into one.
import { expect, test } from "bun:test";
import { createLogger, type LogLevel } from "../src/log.ts";

function capture(level: LogLevel) {
  const lines: string[] = [];
  const logger = createLogger({ level, stream: { write: (line) => lines.push(line) } });
  const parsed = () => lines.map((line): unknown => JSON.parse(line));
  return { logger, lines, parsed };
}

test("an event is one JSON line with the fields of its logger", () => {
  const { logger, lines, parsed } = capture("info");
  logger.child({ service_id: "s1" }).warn({ task_id: 7, attempt: 2 }, "two\nlines");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toEndWith("}\n");
  expect(parsed()[0]).toMatchObject({
    level: "warn",
    time: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
    service_id: "s1",
    task_id: 7,
    attempt: 2,
    msg: "two\nlines",
  });
});

test("lines below the level are not written", () => {
  const { logger, parsed } = capture("warn");
  logger.debug({}, "no");
  logger.info({}, "no");
  logger.error({}, "yes");
  expect(parsed()).toMatchObject([{ level: "error", msg: "yes" }]);
});

test("an error keeps its name, code and cause", () => {
  const { logger, parsed } = capture("info");
  const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  logger.error({ error: new TypeError("no bell", { cause }) }, "ring failed");
  expect(parsed()[0]).toMatchObject({
    error: { name: "TypeError", message: "no bell", cause: { code: "ECONNREFUSED" } },
  });
});

test("content, params, headers and secrets are masked even when somebody logs them", () => {
  const { logger, lines } = capture("info");
  const leak = "leak-me";
  logger.info({ content: leak, params: { a: leak }, headers: [leak], secretKey: leak }, "oops");
  expect(lines[0]).not.toContain(leak);
});
