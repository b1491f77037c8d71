// Shows that no hostile receiver gets more than it should: time, memory, a second address, or a secret.
import { expect } from "bun:test";
import { findBinary } from "../support/find-binary.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { BUN, runScript } from "../support/run-script.ts";
import { whereThere } from "../support/where-there.ts";
import { type Certificates, createCertificates } from "./certificates.ts";
import { hostileCases } from "./hostile-receivers.ts";
import type { HostileRow } from "./run-hostile.ts";

const deno = findBinary("deno");
const MOST_GROWTH_MB = 64;

let certificates: Certificates;
beforeAll(() => {
  certificates = createCertificates();
});
afterAll(() => certificates.remove());

async function run(command: readonly string[]): Promise<HostileRow[]> {
  const { caPath } = certificates;
  const env = ["env", `NODE_EXTRA_CA_CERTS=${caPath}`, `DENO_CERT=${caPath}`];
  const script = new URL("./run-hostile.ts", import.meta.url);
  const spec = { command: [...env, ...command], script, data: certificates };
  return JSON.parse(await runScript(spec)) as HostileRow[];
}

function check(rows: readonly HostileRow[]): void {
  const judged = rows.map(({ name, outcome, reason, killed }) => ({
    name,
    outcome,
    reason,
    killed,
  }));
  expect(judged).toEqual(
    hostileCases.map(({ name, outcome, reason }) => ({ name, outcome, reason, killed: true })),
  );
  for (const row of rows) {
    expect([row.name, row.grewMb < MOST_GROWTH_MB]).toEqual([row.name, true]);
    const isFine = row.outcome === "succeeded";
    expect([row.name, row.lured > 0 && !isFine]).toEqual([row.name, false]);
  }
}

describe.concurrent("hostile receivers", () => {
  test("on Bun", async () => check(await run(BUN)));

  whereThere(test, "deno")("on Deno", async () =>
    check(await run([deno ?? "deno", "run", "--no-prompt", "-A"])),
  );
});
