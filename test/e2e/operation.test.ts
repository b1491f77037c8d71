// What an operator meets: ports that are taken, signals, schemas by hand, job files that cannot be told apart.

import { expect, setDefaultTimeout } from "bun:test";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { findFreePort } from "../support/free-port.ts";
import { test } from "../support/long.ts";
import { patienceMs, TEST_LIMIT_MS } from "../support/patience.ts";
import { startProgram } from "../support/program.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const JOBS_DIR = new URL("../jobs", import.meta.url).pathname;

setDefaultTimeout(TEST_LIMIT_MS);

/** Runs the program to its end in a folder of its own. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "serendipity-operation-"));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--no-install", MAIN, ...args], {
    cwd: folder,
    env: { ...process.env, DATA_DIR: join(folder, "data"), ...env },
    encoding: "utf8",
    timeout: patienceMs(),
  });
  return { status, stdout, stderr, folder };
}

test("a taken port is named with its holder, and the program ends with 78", async () => {
  const holder = createServer();
  const port = await findFreePort();
  await new Promise<void>((resolve) => holder.listen(port, "127.0.0.1", resolve));
  const { status, stderr } = run(["start"], { PORT: String(port) });
  holder.close();
  expect(status).toBe(78);
  expect(stderr).toContain(String(port));
  expect(stderr).toContain(String(process.pid));
});

test("two job files under one name stop the start with both paths", async () => {
  const { folder } = run(["--version"]);
  cpSync(join(JOBS_DIR, "short.ts"), join(folder, "one.ts"));
  cpSync(join(JOBS_DIR, "short.ts"), join(folder, "two.ts"));
  const { status, stderr } = run(["start"], {
    JOBS_DIR: folder,
    PORT: String(await findFreePort()),
  });
  expect(status).toBe(78);
  expect(stderr).toContain(join(folder, "one.ts"));
  expect(stderr).toContain(join(folder, "two.ts"));
});

test("check names the files whose lines cannot be watched", () => {
  const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "check-")));
  const text = 'import { defineJob } from "serendipity-job";\nconst __sjNote = 1;\n';
  writeFileSync(
    join(jobsDir, "own.ts"),
    `${text}export default defineJob({ name: "own", run: () => __sjNote });\n`,
  );
  const { status, stdout } = run(["check"], { JOBS_DIR: jobsDir });
  rmSync(jobsDir, { recursive: true });
  expect(status).toBe(0);
  expect(stdout).toContain(`own: no live lines in ${join(jobsDir, "own.ts")}: it uses`);
});

test("check names the patterns that wait for the job's start", () => {
  const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "check-")));
  const params = 'Type.Object({ a: Type.String({ pattern: "^(?=x)" }) })';
  writeFileSync(
    join(jobsDir, "ahead.ts"),
    `import { defineJob, Type } from "serendipity-job";
export default defineJob({ name: "ahead", params: ${params}, run: () => 1 });
`,
  );
  const { status, stdout } = run(["check"], { JOBS_DIR: jobsDir });
  rmSync(jobsDir, { recursive: true });
  expect(status).toBe(0);
  expect(stdout).toContain("ahead: checked only when the job starts: pattern ^(?=x)");
});

test("check says what is right, and names every wrong setting at once", () => {
  expect(run(["check"], { JOBS_DIR })).toMatchObject({ status: 0 });
  const { status, stderr } = run(["check"], { PORT: "none", LEASE_MS: "1", JOBS_DIR: "/nowhere" });
  expect(status).toBe(78);
  for (const name of ["PORT=none", "LEASE_MS=1", "JOBS_DIR=/nowhere"])
    expect(stderr).toContain(name);
});

test("with MIGRATE=off a start refuses an empty database until migrate was run", async () => {
  const port = String(await findFreePort());
  const refused = run(["start"], { MIGRATE: "off", PORT: port });
  expect(refused.status).toBe(78);
  expect(refused.stderr).toContain("run `migrate`");
  const DATA_DIR = join(refused.folder, "data");
  expect(run(["migrate"], { DATA_DIR })).toMatchObject({ status: 0 });
  const program = await startProgram({ env: { MIGRATE: "off", DATA_DIR } });
  await program.stop();
});

test("a second signal ends at once what still waits for a running job", async () => {
  const program = await startProgram({ env: { JOBS_DIR, SHUTDOWN_TIMEOUT_MS: "600000" } });
  try {
    const client = await createClient(program.url);
    const id = await client.createJob(
      "action",
      { do: "sleep", value: 590_000 },
      { timeout: 600_000 },
    );
    await client.until(id, ({ status }) => status === "running");
    process.kill(program.pid, "SIGTERM");
    await eventually(async () => (await program.log()).includes("stopping") || undefined);
    // Ctrl-C under `bun run` sends two within a moment, which count as one.
    await delay(1_000);
    expect(await program.terminate()).toBe(1);
  } finally {
    await program.stop();
  }
});
