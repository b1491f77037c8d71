// Runs the README's first task as a newcomer would: by pasting it.

import { expect } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, test } from "../support/long.ts";
import { type Program, startProgram } from "../support/program.ts";

let program: Program;
beforeAll(async () => {
  program = await startProgram();
});
afterAll(() => program.stop());

test("the first task of the README is created, seen and killed", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const script = /## Your first task\n```sh\n([\s\S]*?)```/.exec(readme)?.[1];
  if (script === undefined) throw new Error("the README has no first task");
  const pasted = script.replaceAll("http://127.0.0.1:9502", program.url);
  const { stdout, stderr } = spawnSync("bash", ["-c", pasted], { encoding: "utf8" });
  expect(stderr).toBe("");
  const answers = stdout.trim().split(/\n+(?=\{"code")/);
  expect(answers).toHaveLength(3);
  expect(JSON.parse(answers[0] ?? "")).toEqual({ code: 0, msg: "ok!", data: { taskId: 1 } });
  expect(JSON.parse(answers[1] ?? "").data.name).toBe("countdown");
  expect(["ok!", "Killed"]).toContain(JSON.parse(answers[2] ?? "").msg);
});
