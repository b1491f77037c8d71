// The test command: brings up real servers, runs the tests against them, and closes with the totals in one line.

import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { bringUpServers, type TestServers } from "./bring-up.ts";
import { TEST_LIMIT_MS } from "./patience.ts";
import { watchOver } from "./watchdog.ts";

// The runner's own limit is 5 s; bunfig cannot say another.
const TIMEOUT = `--timeout=${TEST_LIMIT_MS}`;

type Totals = { readonly passed: number; readonly failed: number; readonly skipped: number };
type Outcome = { readonly exitCode: number; readonly output: string };

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

for (const [signal, number] of Object.entries(SIGNAL_NUMBERS)) {
  // The watchdogs end the tests and the servers as soon as this process is gone.
  process.on(signal, () => process.exit(128 + number));
}
process.exitCode = await main(process.argv.slice(2));

async function main(filters: readonly string[]): Promise<number> {
  const servers = await bringUpServers();
  const absent = reportServers(servers);
  if (absent > 0 && process.env["REQUIRE_SERVICES"] === "1") {
    await servers.stop();
    console.log("REQUIRE_SERVICES=1 and servers are missing: nothing was run.");
    return close({ passed: 0, failed: absent, skipped: 0 });
  }
  const outcome = await runBunTest(filters, servers.environment);
  await servers.stop();
  reportSkipped(outcome.output);
  return close(refuseSkips(countTotals(outcome)));
}

function reportServers(servers: TestServers): number {
  const absent = Object.entries(servers.missing);
  for (const [name, why] of absent) console.log(`no ${name}, its suites are skipped: ${why}`);
  if (absent.length === 0)
    console.log("MySQL, Redis and nsqd answer: no suite is skipped for them.");
  return absent.length;
}

/** Runs this same Bun, wherever it is, and keeps what it wrote to read the totals from it. */
function runBunTest(
  filters: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const colour = process.stderr.isTTY ? { FORCE_COLOR: "1" } : {};
  const child = spawn(process.execPath, ["--no-install", "test", TIMEOUT, ...filters], {
    env: { ...process.env, ...colour, ...environment },
    stdio: ["ignore", "inherit", "pipe"],
  });
  const watchdog = watchOver('kill -9 "$1"', String(child.pid));
  const chunks: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    process.stderr.write(chunk);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      watchdog.dismiss();
      const output = stripVTControlCharacters(Buffer.concat(chunks).toString());
      resolve({ exitCode: code ?? 1, output });
    });
  });
}

/** Each reason once, with how many tests it left out and what to do about it. */
function reportSkipped(output: string): void {
  const [, summary = ""] = output.split(/^\d+ tests? skipped:$/m);
  const lines = (summary || output).split("\n").filter((line) => line.startsWith("(skip) "));
  const counts = new Map<string, number>();
  for (const line of lines) {
    const reason = /\bneeds \w+: .*?(?=\)?(?: \[[\d.]+m?s\])?$)/.exec(line)?.[0] ?? line;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  if (counts.size === 0) return;
  console.log("\nSkipped, and what to do about it:");
  for (const [reason, count] of counts) console.log(`- ${count} × ${reason}`);
}

/** The last summary counts: a test may print one too, but not after the runner's. */
function countTotals({ exitCode, output }: Outcome): Totals {
  const summary = output.slice(output.lastIndexOf(" pass\n") - 10);
  const count = (word: string) =>
    Number(new RegExp(`^\\s*(\\d+) ${word}$`, "m").exec(summary)?.[1] ?? 0);
  const failed = count("fail");
  return {
    passed: count("pass"),
    // A run that broke off, or found no test, has failed even if no single test did.
    failed: exitCode !== 0 && failed === 0 ? 1 : failed,
    skipped: count("skip") + count("todo"),
  };
}

/** Where all that tests need is said to be there, a skipped one has failed. */
function refuseSkips(totals: Totals): Totals {
  if (process.env["REQUIRE_SERVICES"] !== "1" || totals.skipped === 0) return totals;
  console.log("REQUIRE_SERVICES=1 and tests were skipped: they count as failed.");
  return { ...totals, failed: totals.failed + totals.skipped, skipped: 0 };
}

function close({ passed, failed, skipped }: Totals): number {
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 ? 1 : 0;
}
