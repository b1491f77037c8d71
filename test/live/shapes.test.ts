// Proves that the live stack names the right line of every shape of standing still, seen from outside a worker.
import { expect } from "bun:test";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { test } from "../support/long.ts";
import type { Sampled } from "./sample-shapes.ts";
import { SPINNING, WAITING } from "./shapes.ts";

const SAMPLER = new URL("./sample-shapes.ts", import.meta.url).pathname;
/** Between two microtasks nothing is on the stack: only the unanswered ping shows that it runs. */
const MICROTASKS = "for await of nothing but microtasks";

test.each([
  ["that spin", SPINNING],
  ["that wait", WAITING],
])("shapes %s are seen on their lines only", async (_, shapes) => {
  const sampled = await sampleAll(Object.keys(shapes));
  expect(sampled.map(({ shape }) => shape)).toEqual(Object.keys(shapes));
  const wrong = sampled.flatMap(({ shape, marks, seen, error }) => {
    const states = shape === MICROTASKS ? ["running", "waiting"] : [shapes[shape]?.state];
    const rights = marks.flatMap((mark) => states.map((state) => `${state} ${mark}`));
    const places = Object.keys(seen).filter((place) => !rights.includes(place));
    return places.length > 0 || error !== undefined ? [{ shape, places, rights, error }] : [];
  });
  expect(wrong).toEqual([]);
});

async function sampleAll(names: readonly string[]): Promise<Sampled[]> {
  const args = ["--no-install", SAMPLER, "lean", ...names];
  const sampler = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = (await text(sampler.stdout)).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Sampled);
}
