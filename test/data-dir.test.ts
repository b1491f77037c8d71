// Shows that one start at a time holds a DATA_DIR, whatever becomes of the holder.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { holdDataDir, readEmbeddedKey } from "../src/data-dir.ts";

const moduleFile = resolve(import.meta.dir, "../src/data-dir.ts");

let root: string;
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "data-dir-"));
});
afterAll(() => rmSync(root, { recursive: true }));

function freshDir(): string {
  count += 1;
  return join(root, `data-${count}`);
}

/** Another process that tries to hold the folder and stays; it prints `held` or the refusal. */
async function startOther(dir: string): Promise<{ child: ChildProcess; said: string }> {
  const script = `
    import { holdDataDir } from ${JSON.stringify(moduleFile)};
    try { globalThis.hold = holdDataDir(${JSON.stringify(dir)}); console.log("held"); }
    catch (error) { console.log(error.code + ": " + error.message); }
    setInterval(() => globalThis.hold, 1000);`;
  const child = spawn(process.execPath, ["--no-install", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: unknown[] = await once(child.stdout, "data");
  return { child, said: String(chunks[0]).trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

describe("holding", () => {
  test("a second start is told who holds it, and gets it after kill -9", async () => {
    const dir = freshDir();
    const first = await startOther(dir);
    expect(first.said).toBe("held");
    const second = await startOther(dir);
    expect(second.said).toMatch(
      new RegExp(
        `^configuration: DATA_DIR ${dir} is in use by process ${first.child.pid}, started 20`,
      ),
    );
    await Promise.all([kill(first.child), kill(second.child)]);
    holdDataDir(dir).release();
  });

  test("the same process cannot hold it twice, and can again after release", () => {
    const dir = freshDir();
    const hold = holdDataDir(dir);
    expect(() => holdDataDir(dir)).toThrow(`in use by process ${process.pid}`);
    hold.release();
    holdDataDir(dir).release();
  });

  test("a row left by a dead process whose pid lives again does not keep anybody out", () => {
    const dir = freshDir();
    holdDataDir(dir).release();
    const database = new DatabaseSync(join(dir, "holder.db"));
    database.prepare("UPDATE holder SET pid = ?").run(process.pid);
    database.close();
    holdDataDir(dir).release();
  });

  test("of many starts at the same moment exactly one holds", async () => {
    const dir = freshDir();
    const starts = await Promise.all(Array.from({ length: 6 }, () => startOther(dir)));
    const holder = starts.find(({ said }) => said === "held");
    await Promise.all(starts.map(({ child }) => kill(child)));
    const others = starts.filter((start) => start !== holder).map(({ said }) => said);
    expect(holder).toBeDefined();
    expect(others).toHaveLength(5);
    for (const said of others) expect(said).toContain(`in use by process ${holder?.child.pid},`);
  });

  test("a path that is no folder is a configuration error", () => {
    const file = join(root, "file");
    writeFileSync(file, "");
    expect(() => holdDataDir(file)).toThrow(`DATA_DIR ${file} cannot be used`);
  });
});

describe("the key file", () => {
  test("it is made once, for its owner only, and nothing is left beside it", () => {
    const dir = freshDir();
    const key = readEmbeddedKey(dir);
    expect(key.length).toBeGreaterThanOrEqual(32);
    expect(readEmbeddedKey(dir)).toBe(key);
    expect(statSync(join(dir, "secret.key")).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(["secret.key"]);
  });

  test("two folders have different keys", () => {
    expect(readEmbeddedKey(freshDir())).not.toBe(readEmbeddedKey(freshDir()));
  });

  test("a damaged key file is named, never replaced", () => {
    const dir = freshDir();
    readEmbeddedKey(dir);
    writeFileSync(join(dir, "secret.key"), "short\n");
    expect(() => readEmbeddedKey(dir)).toThrow("secret.key is damaged");
  });
});
