// How exactly an api process tells where a job of another process spins, with Redis and without.

import { expect, setDefaultTimeout } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createClient, type Detail } from "../support/api-client.ts";
import { atItsBest, timeOf } from "../support/at-its-best.ts";
import { describeWith } from "../support/describe-with.ts";
import { afterAll, beforeAll, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
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
/** Promised; the bench of kills says how it is spread. */
const LIMIT_MS = 200;
const ASKED = 40;

setDefaultTimeout(TEST_LIMIT_MS);

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

  test.each(["warm", "process"])(
    "detail of a %s job tells its line, and asks it without delay",
    async (name) => {
      const id = await client.createJob(name, {}, { timeout: 600_000 });
      await client.until(id, isSpinning);
      const look = async () => {
        const detail = await client.detail(id);
        expect(detail).toMatchObject({ ...place(name), state: "running", source: "live" });
      };
      for (let at = 0; at < ASKED; at++) await look();
      await atItsBest(LIMIT_MS, () => timeOf(look));
      await client.post("/task/cancel", { id });
    },
  );

  test("without Redis detail tells the line of the last checkpoint", async () => {
    const id = await client.createJob("process", {}, { timeout: 600_000 });
    await client.until(id, isSpinning);
    await servers.redis.kill9();
    const detail = await client.until(
      id,
      ({ source, vars }) => source === "checkpoint" && vars !== null && !Array.isArray(vars),
    );
    await servers.redis.restart();
    await client.post("/task/cancel", { id });
    expect(detail).toMatchObject({ ...place("process"), state: "running" });
    expect(detail.freshness_ms).toBeGreaterThanOrEqual(0);
  });
}
