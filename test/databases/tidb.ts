// bun run test:tidb: the store's suites on a TiDB server that TEST_DATABASE_URL names; nothing here can start one.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { probeMysql } from "../support/probes.ts";

const SUITES = ["contract/store/mysql.test.ts", "contract/store/mysql-ids.test.ts"];

process.exitCode = await main();

async function main(): Promise<number> {
  const url = process.env["TEST_DATABASE_URL"];
  if (!url) return refuse("set TEST_DATABASE_URL=mysql://user:password@host:port/mysql");
  const version = await probeMysql(url).catch(String);
  if (!/tidb/i.test(version)) return refuse(`TEST_DATABASE_URL leads to no TiDB: ${version}`);
  console.log(`on ${version}`);
  const { status } = spawnSync(
    process.execPath,
    ["--no-install", "test/support/run-tests.ts", ...SUITES],
    { cwd: fileURLToPath(new URL("../..", import.meta.url)), stdio: "inherit" },
  );
  return status ?? 1;
}

function refuse(why: string): number {
  console.log(`${why}\n0 passed, 1 failed, 0 skipped`);
  return 1;
}
