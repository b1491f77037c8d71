// How fast, and how exactly, an api process tells where a job of another process spins, with Redis and without.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createClient, type Detail } from "../support/api-client.ts";
import { describeWith } from "../support/describe-with.ts";
import { percentile } from "../support/latencies.ts";
import {
  ADMIN_TOKEN,
  openServersShape,
  SERVERS_NEEDS,
  type ServersNeeds,
  type ServersShape,
} from "../support/servers-shape.ts";
import { acquireServices } from "../support/services.ts";

const spinning = (isolation: string) => `import { defineJob } from "serendipity-job";

function grind(start: number) {
  let n = start;
  for (;;) n += 1; // line 5
}

export default defineJob({
  name: "${isolation}",
  isolation: "${isolation}",
  run(_, ctx) {
    ctx.watch({ page: 3 });
    grind(5);
  },
});
`;
const LIMIT_MS = 200;
const ASKED = 40;
/** A machine that is busy with something else gets another chance. */
const ROUNDS = 3;

setDefaultTimeout(60_000);

const services = await acquireServices();

describeWith(services, {
  title: "a spinning job in another process",
  needs: SERVERS_NEEDS,
  suite: liveSuite,
});

function liveSuite(needs: ServersNeeds): void {
  const jobsDir = realpathSync(mkdtempSync(join(tmpdir(), "live-servers-")));
  let servers: ServersShape;
  let client: ApiClient;

  beforeAll(async () => {
    for (const name of ["warm", "process"]) {
      writeFileSync(join(jobsDir, `${name}.ts`), spinning(name));
    }
    servers = await openServersShape(needs, { JOBS_DIR: jobsDir });
    const api = await servers.start("api");
    await servers.start("executor");
    client = await createClient(api.url, { adminToken: ADMIN_TOKEN });
  });

  afterAll(async () => {
    await servers.stop();
    rmSync(jobsDir, { recursive: true });
  });

  const isSpinning = ({ executed_function_name }: Detail) => executed_function_name === "grind";
  const place = (name: string) => ({
    executed_file_name: join(jobsDir, `${name}.ts`),
    executed_function_line: 5,
    vars: { page: 3 },
  });

  test.each(["warm", "process"])("detail of a %s job takes less than 200 ms", async (name) => {
    const id = await client.createJob(name, {}, { timeout: 60_000 });
    await client.until(id, isSpinning);
    const p95s: number[] = [];
    for (let round = 0; round < ROUNDS && !(Math.min(...p95s) < LIMIT_MS); round++) {
      const timesMs: number[] = [];
      for (let at = 0; at < ASKED; at++) {
        const startedMs = performance.now();
        const detail = await client.detail(id);
        timesMs.push(performance.now() - startedMs);
        expect(detail).toMatchObject({ ...place(name), state: "running", source: "live" });
      }
      p95s.push(percentile(timesMs, 0.95));
    }
    await client.post("/task/cancel", { id });
    const shown = p95s.map((p95) => p95.toFixed(1)).join(", ");
    console.log(`detail of a spinning ${name} job: p95 ${shown} ms of ${ASKED}`);
    expect(Math.min(...p95s)).toBeLessThan(LIMIT_MS);
  });

  test("without Redis detail tells the line of the last checkpoint", async () => {
    const id = await client.createJob("process", {}, { timeout: 60_000 });
    await client.until(id, isSpinning);
    await servers.redis.kill9();
    const detail = await client.until(
      id,
      ({ source, vars }) => source === "checkpoint" && vars !== null && !Array.isArray(vars),
    );
    await servers.redis.restart();
    await client.post("/task/cancel", { id });
    expect(detail).toMatchObject({ ...place("process"), state: "running" });
    expect(detail.freshness_ms).toBeGreaterThan(0);
  });
}
