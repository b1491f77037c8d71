// Proves on Deno that an attempt is seen on the right line of every shape of standing still: `bun run test:deno`.
import { test } from "bun:test";
import { expectRightShapes } from "../live/wrong-shapes.ts";
import { findBinary } from "../support/find-binary.ts";

const deno = findBinary("deno");
if (deno === undefined) throw new Error("no deno on the PATH: npm install -g deno@2");

test("on Deno shapes in a process are seen on their lines only", async () => {
  await expectRightShapes([deno, "run", "-A"], "process");
});
