// Shows what a log line looks like and what never gets into one.
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
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

test("on a terminal lines are for people, also those of a thread; elsewhere they are JSON", () => {
  const script = fileURLToPath(new URL("support/log-of-thread.ts", import.meta.url));
  const command = `${process.execPath} --no-install ${script}`;
  const terminal = spawnSync("script", ["-qec", command, "/dev/null"], { encoding: "utf8" });
  const pipe = spawnSync("/bin/sh", ["-c", command], { encoding: "utf8" });
  for (const who of ["main", "thread"]) {
    expect(terminal.stdout).toContain(`hello from ${who}`);
    expect(pipe.stdout).toContain(`"msg":"hello from ${who}"`);
  }
  expect(terminal.stdout).not.toContain('"msg"');
});
