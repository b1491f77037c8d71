// Proves on Deno that instrumented code does what it did before, with true lines: `bun run test:deno`.
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { findBinary } from "../support/find-binary.ts";

const SCRIPT = new URL("../live/semantics-script.ts", import.meta.url).pathname;
const deno = findBinary("deno");
if (deno === undefined) throw new Error("no deno on the PATH: npm install -g deno@2");

test("on Deno instrumented code does what it did, in every mode", () => {
  const { stdout } = spawnSync(deno, ["run", "-A", SCRIPT], { encoding: "utf8" });
  const { compared, snippets, wrong } = JSON.parse(stdout) as Record<string, unknown>;
  expect(wrong).toEqual([]);
  expect(compared).toBe(3 * Number(snippets));
  expect(snippets).toBeGreaterThan(40);
});
