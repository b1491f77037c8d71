// What /readyz says while nothing can be written, while no executor lives, and before a start serves its own jobs.
import { expect, setDefaultTimeout } from "bun:test";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { type ApiClient, createClient } from "../support/api-client.ts";
import { describeWith } from "../support/describe-with.ts";
import { eventually } from "../support/eventually.ts";
import { afterEach, describe, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { makeServerFolder } from "../support/private-server.ts";
import { type Program, startProgram } from "../support/program.ts";
import { ADMIN_TOKEN, openServersShape, SERVERS_NEEDS } from "../support/servers-shape.ts";
import { acquireServices } from "../support/services.ts";

setDefaultTimeout(TEST_LIMIT_MS);
const services = await acquireServices();
const cleanUps: (() => Promise<unknown>)[] = [];
const SECRET_KEY = "a secret key of at least 32 characters";

interface Answer {
  readonly status: number;
  readonly data: {
    readonly status: string;
    readonly down: readonly string[];
    readonly checks: Readonly<Record<string, string>>;
    readonly executors?: readonly {
      readonly service_id: string;
      readonly seen_ms_ago: number;
      readonly lanes_seen_ms_ago: { readonly job: number | null; readonly callback: number | null };
      readonly clock_ahead_ms: number | null;
    }[];
  };
}

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function readyz({ url }: { readonly url: string }): Promise<Answer> {
  const answer = await fetch(`${url}/readyz`);
  const { data } = (await answer.json()) as { data: Answer["data"] };
  return { status: answer.status, data };
}

/** Waits for an answer that says so. */
function readyzWhen(program: { readonly url: string }, isIt: (answer: Answer) => boolean) {
  return eventually(async () => {
    const answer = await readyz(program);
    return isIt(answer) ? answer : undefined;
  });
}

async function open(options: Parameters<typeof startProgram>[0]): Promise<Program> {
  const program = await startProgram(options);
  cleanUps.push(program.stop);
  return program;
}

describe("embedded", () => {
  test("a disk that is full is 503 until a write succeeds again", async () => {
    // The signal of a file that grows too large is ignored: SQLite is refused, as on a full disk.
    const script = 'trap "" XFSZ; ulimit -S -f "$0"; exec "$@"';
    const args = ["-c", script, "2000", process.execPath, "--no-install"];
    const program = await open({ command: { path: "bash", args } });
    const client = await createClient(program.url);
    // Smaller and smaller, until not even the smallest fits.
    for (const length of [100_000, 10_000, 1_000, 1]) {
      await eventually(() => isRefused(client, "x".repeat(length)));
    }
    expect(await readyz(program)).toMatchObject({
      status: 503,
      data: { status: "unavailable", checks: { database: "takes no writes" } },
    });
    const executors = spawnSync("pgrep", ["-P", String(program.pid)], { encoding: "utf8" });
    for (const pid of [program.pid, ...executors.stdout.trim().split("\n")]) {
      spawnSync("prlimit", ["--pid", String(pid), "--fsize=unlimited"]);
    }
    await readyzWhen(program, ({ status }) => status === 200);
  });

  test("a start is ready only when its own jobs are published, not those of the one before", async () => {
    const folder = await makeServerFolder("slow-jobs");
    const [jobs, gate] = [join(folder, "jobs"), join(folder, "gate")];
    await mkdir(jobs);
    // Where job files find the SDK.
    await symlink(
      new URL("../../node_modules", import.meta.url).pathname,
      join(folder, "node_modules"),
    );
    const data = { DATA_DIR: join(folder, "data") };
    const first = await open({ env: { ...data, JOBS_DIR: jobs } });
    await first.terminate();
    writeFileSync(join(jobs, "slow.ts"), slowJob(gate));
    const second = await open({ env: { ...data, JOBS_DIR: jobs }, readyPath: "/healthz" });
    expect(await readyz(second)).toMatchObject({
      status: 503,
      data: { checks: { database: "up", executor: "its jobs are not published yet" } },
    });
    writeFileSync(gate, "open");
    await readyzWhen(second, ({ status }) => status === 200);
  });
});

async function isRefused(client: ApiClient, text: string): Promise<true | undefined> {
  const runtime = Math.floor(Date.now() / 1_000) + 86_400;
  const task = { taskNo: crypto.randomUUID(), name: "n", content: { text }, timeout: 1_000 };
  const { code } = await client.post("/task/create", { ...task, runtime });
  return code === 0 ? undefined : true;
}

function slowJob(gate: string): string {
  return `import { existsSync } from "node:fs";
import { defineJob } from ${JSON.stringify(new URL("../../src/sdk/index.ts", import.meta.url).pathname)};
while (!existsSync(${JSON.stringify(gate)})) await new Promise((resolve) => setTimeout(resolve, 20));
export default defineJob({ name: "slow", run: () => undefined });
`;
}

describeWith(services, {
  title: "MySQL alone",
  needs: ["startMariadb"],
  suite: ({ startMariadb }) => {
    test("a server that became read-only is 503 until it takes writes again", async () => {
      const server = await startMariadb();
      cleanUps.push(server.stop);
      const admin = await createConnection({ uri: server.url });
      cleanUps.push(async () => admin.destroy());
      for (const statement of [
        "CREATE DATABASE jobs",
        "CREATE USER 'plain'@'127.0.0.1' IDENTIFIED BY 'plain-password'",
        "GRANT ALL ON jobs.* TO 'plain'@'127.0.0.1'",
      ]) {
        await admin.query(statement);
      }
      const url = `mysql://plain:plain-password@127.0.0.1:${server.port}/jobs`;
      const program = await open({ env: { DATABASE_URL: url, SECRET_KEY } });
      const client = await createClient(program.url);
      await admin.query("SET GLOBAL read_only = 1");
      const task = { taskNo: "one", name: "n", content: {}, timeout: 1_000 };
      expect(await client.post("/task/create", task)).toMatchObject({ code: 1 });
      expect(await readyz(program)).toMatchObject({
        status: 503,
        data: { checks: { database: "takes no writes" } },
      });
      await admin.query("SET GLOBAL read_only = 0");
      await readyzWhen(program, ({ status }) => status === 200);
      expect(await client.post("/task/create", task)).toMatchObject({ code: 0 });
    });
  },
});

describeWith(services, {
  title: "servers",
  needs: SERVERS_NEEDS,
  suite: (needs) => {
    test("an api says that no executor lives, and which ones do", async () => {
      const servers = await openServersShape(needs, {});
      cleanUps.push(servers.stop);
      const api = await servers.start("api");
      // At once after its start Redis may not be connected yet.
      const alone = await readyzWhen(api, ({ data: { down } }) => down.join() === "executors");
      expect(alone).toMatchObject({
        status: 200,
        data: { status: "degraded", down: ["executors"], executors: [] },
      });
      expect(alone.data.checks).toMatchObject({
        database: "up",
        executors: "degraded: no_executor",
      });
      // What it takes meanwhile waits.
      await createClient(api.url, { adminToken: ADMIN_TOKEN });
      const executor = await servers.start("executor");
      const { data } = await readyzWhen(api, ({ data: { status } }) => status === "ready");
      const [living] = data.executors ?? [];
      expect(living?.service_id).toMatch(/-[0-9a-f]{8}$/);
      expect(living?.lanes_seen_ms_ago.job).toBeGreaterThanOrEqual(0);
      expect(living?.lanes_seen_ms_ago.callback).toBeGreaterThanOrEqual(0);
      const told = await readyzWhen(api, (answer) => clockOf(answer) !== null);
      expect(Math.abs(clockOf(told) ?? 0)).toBeLessThan(5_000);
      await executor.kill9();
      const left = await readyzWhen(api, ({ data: { executors } }) => executors?.length === 0);
      expect(left).toMatchObject({ status: 200, data: { status: "degraded" } });
    });
  },
});

function clockOf({ data }: Answer): number | null {
  return data.executors?.[0]?.clock_ahead_ms ?? null;
}
