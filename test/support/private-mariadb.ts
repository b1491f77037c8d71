// Starts a private MariaDB or MySQL server with default (durable) settings on a free loopback port.

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findBinary } from "./find-binary.ts";
import { findFreePort } from "./free-port.ts";
import { makeServerFolder, type PrivateServer, startPrivateServer } from "./private-server.ts";
import { probeMysql } from "./probes.ts";

export type PrivateMariadb = PrivateServer & {
  readonly port: number;
  /** `mysql://user:password@127.0.0.1:port/mysql` of a user with all privileges. */
  readonly url: string;
};

type Program = { readonly command: string; readonly isMariadb: boolean };

const USER = "serendipity";
const PASSWORD = "a-password-of-the-tests";
const SETUP_SQL = `CREATE USER IF NOT EXISTS '${USER}'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}';
GRANT ALL PRIVILEGES ON *.* TO '${USER}'@'127.0.0.1' WITH GRANT OPTION;
`;

const run = promisify(execFile);

/** An installation apart from the machine's own, and what every server gets besides; `bun run test:mariadb11` sets both. */
const HOME = process.env["TEST_MARIADB_HOME"];
const OPTIONS = (process.env["TEST_MARIADB_OPTIONS"] ?? "").split(" ").filter(Boolean);

/** Why no private server can be started here, or undefined. */
export function whyNoMariadb(): string | undefined {
  if (findServer() === undefined) return "no mariadbd or mysqld is installed";
  return undefined;
}

function findServer(): string | undefined {
  return HOME === undefined ? findBinary("mariadbd", "mysqld") : join(HOME, "bin", "mariadbd");
}

/** Creates an empty server, with further options, and returns when it answers a query. */
export async function startPrivateMariadb(
  options: readonly string[] = [],
): Promise<PrivateMariadb> {
  const program = await findProgram();
  const folder = await makeServerFolder("mysql");
  await createDataFolder(program, folder);
  await writeFile(join(folder, "setup.sql"), SETUP_SQL);
  // A node of a cluster gets its data from rsync, which, started by root, writes as nobody.
  if (options.includes("--wsrep-on=ON")) await run("chmod", ["-R", "a+rwX", folder]);
  const port = await findFreePort();
  const url = `mysql://${USER}:${PASSWORD}@127.0.0.1:${port}/mysql`;
  const server = await startPrivateServer({
    command: program.command,
    args: [...serverArguments(program, folder, port), ...OPTIONS, ...options],
    folder,
    probe: () => probeMysql(url),
  });
  return Object.assign(server, { port, url });
}

async function findProgram(): Promise<Program> {
  const command = findServer();
  if (command === undefined) throw new Error(whyNoMariadb());
  const { stdout } = await run(command, ["--no-defaults", "--version"]);
  return { command, isMariadb: stdout.includes("MariaDB") };
}

async function createDataFolder(program: Program, folder: string): Promise<void> {
  const options = ["--no-defaults", `--datadir=${join(folder, "data")}`, ...userOption()];
  if (!program.isMariadb) {
    await run(program.command, [...options, "--initialize-insecure"]);
    return;
  }
  const [installer, ...further] = installCommand();
  // A folder of its own for temporary files: installers that share one trip over each other's.
  const env = { ...process.env, TMPDIR: folder };
  const rest = ["--auth-root-authentication-method=normal", "--skip-test-db"];
  await run(installer, [...further, ...options, ...rest], { env });
}

function installCommand(): readonly [string, ...string[]] {
  if (HOME !== undefined)
    return ["bash", join(HOME, "scripts", "mariadb-install-db"), ...homeOption()];
  const installer = findBinary("mariadb-install-db", "mysql_install_db");
  if (installer === undefined) throw new Error("mariadb-install-db is not installed");
  return [installer];
}

function homeOption(): readonly string[] {
  return HOME === undefined ? [] : [`--basedir=${HOME}`];
}

function serverArguments(program: Program, folder: string, port: number): readonly string[] {
  return [
    "--no-defaults",
    ...homeOption(),
    `--datadir=${join(folder, "data")}`,
    `--tmpdir=${folder}`,
    `--socket=${join(folder, "mysql.sock")}`,
    `--pid-file=${join(folder, "mysql.pid")}`,
    `--init-file=${join(folder, "setup.sql")}`,
    "--bind-address=127.0.0.1",
    `--port=${port}`,
    "--skip-name-resolve",
    ...(program.isMariadb ? [] : ["--mysqlx=OFF"]),
    ...userOption(),
  ];
}

/** Both servers refuse to run as root unless told to. */
function userOption(): readonly string[] {
  return process.getuid?.() === 0 ? ["--user=root"] : [];
}
