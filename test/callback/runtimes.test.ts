// The whole table of answers in a process of its own, on Bun and on Deno, with proxies in the environment.
import { expect } from "bun:test";
import { findBinary } from "../support/find-binary.ts";
import { findFreePort } from "../support/free-port.ts";
import { describe, test } from "../support/long.ts";
import { BUN, runScript } from "../support/run-script.ts";
import { whereThere } from "../support/where-there.ts";
import { answerCases } from "./cases.ts";
import type { CasesReport } from "./run-cases.ts";

const script = new URL("./run-cases.ts", import.meta.url);
const deno = findBinary("deno");

async function report(command: readonly string[]): Promise<CasesReport> {
  const proxyPort = await findFreePort();
  const proxy = `http://127.0.0.1:${proxyPort}`;
  const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"];
  // Deno's own search for updates would go through the proxy.
  const env = [
    "env",
    "DENO_NO_UPDATE_CHECK=1",
    "NODE_USE_ENV_PROXY=1",
    ...names.map((name) => `${name}=${proxy}`),
  ];
  const spec = { command: [...env, ...command], script, data: { proxyPort } };
  return JSON.parse(await runScript(spec)) as CasesReport;
}

const expected: CasesReport = {
  answers: answerCases.map(({ path, outcome, reason }) => {
    return { path, outcome, ...(reason && { reason }), killed: true };
  }),
  selfSigned: "tls",
  unrefused: [],
  canary: 0,
  cancelled: { outcome: "cancelled", killed: true },
  proxied: 0,
  open: 0,
};

describe("every case ends as the table says, no proxy is used and no connection stays", () => {
  test("on Bun", async () => {
    expect(await report(BUN)).toEqual(expected);
  });

  whereThere(test, "deno")("on Deno", async () => {
    expect(await report([deno ?? "deno", "run", "--no-prompt", "-A"])).toEqual(expected);
  });
});
