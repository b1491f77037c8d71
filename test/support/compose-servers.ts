// Runs the servers of the tests as containers, when a Docker engine with the compose plugin answers.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findFreePort } from "./free-port.ts";
import { describeError } from "./services.ts";
import { watchOver } from "./watchdog.ts";

export type ServerKindName = "mysql" | "redis" | "nsqd";

export type StartedServers = {
  /** The variables by which tests find the servers. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
};

const COMPOSE_FILE = fileURLToPath(new URL("services.compose.yml", import.meta.url));
const ENGINE_TIMEOUT_MS = 10_000;

const run = promisify(execFile);

/** Why containers cannot be used here, or undefined. */
export async function whyNoCompose(): Promise<string | undefined> {
  try {
    await run("docker", ["version"], { timeout: ENGINE_TIMEOUT_MS });
    await run("docker", ["compose", "version"], { timeout: ENGINE_TIMEOUT_MS });
    return undefined;
  } catch (error) {
    const reason = describeError(error).trim().split("\n").at(-1);
    return `no Docker engine with the compose plugin answers (${reason})`;
  }
}

/** Starts the named servers in a project of its own and returns when all are healthy. */
export async function startComposeServers(
  names: readonly ServerKindName[],
): Promise<StartedServers> {
  const project = `serendipity-test-${randomBytes(4).toString("hex")}`;
  const settings = await chooseSettings();
  const compose = ["compose", "--project-name", project, "--file", COMPOSE_FILE];
  const env = { ...process.env, ...settings };
  const down = 'docker compose --project-name "$1" down --volumes';
  const watchdog = watchOver(down, project);
  const stop = async (): Promise<void> => {
    await run("docker", [...compose, "down", "--volumes"], { env });
    watchdog.dismiss();
  };
  try {
    await run("docker", [...compose, "up", "--detach", "--wait", ...names], { env });
  } catch (error) {
    await stop();
    throw error;
  }
  return { environment: addresses(settings, names), stop };
}

async function chooseSettings() {
  const port = async () => String(await findFreePort());
  return {
    TEST_PASSWORD: randomBytes(12).toString("hex"),
    TEST_MYSQL_PORT: await port(),
    TEST_REDIS_PORT: await port(),
    TEST_NSQLOOKUPD_PORT: await port(),
    TEST_NSQD_PORT: await port(),
    TEST_NSQD_HTTP_PORT: await port(),
  };
}

function addresses(
  settings: Awaited<ReturnType<typeof chooseSettings>>,
  names: readonly ServerKindName[],
): Readonly<Record<string, string>> {
  const host = "127.0.0.1";
  const all: Record<ServerKindName, Record<string, string>> = {
    mysql: {
      TEST_DATABASE_URL: `mysql://root:${settings.TEST_PASSWORD}@${host}:${settings.TEST_MYSQL_PORT}/mysql`,
    },
    redis: { TEST_REDIS_URL: `redis://${host}:${settings.TEST_REDIS_PORT}` },
    nsqd: {
      TEST_NSQD_TCP_ADDRESS: `${host}:${settings.TEST_NSQD_PORT}`,
      TEST_NSQLOOKUPD_HTTP_ADDRESS: `${host}:${settings.TEST_NSQLOOKUPD_PORT}`,
    },
  };
  return Object.fromEntries(names.flatMap((name) => Object.entries(all[name])));
}
