// Instruments large code of others: it must still parse, keep its lines, and, where it is run, do what it did.
import { expect } from "bun:test";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import type { TraceMode } from "../../src/job/wire/prepared-source.ts";
import { instrument } from "../../src/live/rewrite/instrument.ts";
import { describe, test } from "../support/long.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const folders = [
  "src",
  "test",
  "node_modules/kysely/dist",
  "node_modules/@sinclair/typebox/build/esm",
  "node_modules/elysia/dist",
];

function modulesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:ts|tsx|mts|js|mjs)$/.test(name) && !/\.d\.[mc]?ts$/.test(name))
    .map((name) => join(root, folder, name));
}

function linesOf(text: string): number {
  return text.split(/\r\n|[\n\r\u2028\u2029]/).length;
}

describe.each(folders)("%s", (folder) => {
  test.each(["lean", "full"] as const)("stays what it is in mode %s", (mode) => {
    const files = modulesIn(folder);
    const broken = files.flatMap((path) => brokenBy(path, mode));
    expect(broken).toEqual([]);
    expect(files.length).toBeGreaterThan(5);
  });
});

function brokenBy(path: string, mode: TraceMode): string[] {
  const source = readFileSync(path, "utf8");
  const { code, note, locations } = instrument(source, { path, fileNumber: 3, mode });
  if (note !== undefined) return /CommonJS|__sj/.test(note) ? [] : [`${path}: ${note}`];
  const problems = parseSync(path, code).errors.map((error) => `${path}: ${error.message}`);
  if (linesOf(code) !== linesOf(source)) problems.push(`${path}: other lines`);
  const beyond = locations.entries.filter((it) => it.line > linesOf(source) || it.line < 1);
  return beyond.length > 0 ? [...problems, `${path}: lines that are not there`] : problems;
}

describe("packages that were rewritten", () => {
  const script = fileURLToPath(new URL("./use-packages.js", import.meta.url));

  test.each(["off", "functions", "lean", "full"] as const)("work in mode %s", async (mode) => {
    const folder = mkdtempSync(join(tmpdir(), "packages-"));
    try {
      rewritePackages(folder, mode);
      const said = Bun.spawnSync([process.execPath, "--no-install", script, folder]);
      const plain = Bun.spawnSync([
        process.execPath,
        "--no-install",
        script,
        join(root, "node_modules"),
      ]);
      expect(said.stderr.toString()).toBe("");
      expect(said.stdout.toString()).toBe(plain.stdout.toString());
      expect(plain.stdout.toString()).toContain("all done");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** Copies two packages, instrumented. */
function rewritePackages(folder: string, mode: TraceMode | "off"): void {
  let fileNumber = 0;
  for (const name of ["kysely", "@sinclair/typebox"]) {
    cpSync(join(root, "node_modules", name), join(folder, name), { recursive: true });
  }
  if (mode === "off") return;
  for (const path of ["kysely/dist", "@sinclair/typebox/build/esm"].flatMap((it) =>
    listIn(folder, it),
  )) {
    fileNumber += 1;
    const { code } = instrument(readFileSync(path, "utf8"), { path, fileNumber, mode });
    writeFileSync(path, code);
  }
}

function listIn(folder: string, path: string): string[] {
  return readdirSync(join(folder, path), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.m?js$/.test(name))
    .map((name) => join(folder, path, name));
}
