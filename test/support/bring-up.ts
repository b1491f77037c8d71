// Brings up one set of real servers for a test run: those the environment names, else private ones, else containers.

import {
  type ServerKindName,
  type StartedServers,
  startComposeServers,
  whyNoCompose,
} from "./compose-servers.ts";
import { startPrivateMariadb, whyNoMariadb } from "./private-mariadb.ts";
import { startPrivateNsqd, whyNoNsqd } from "./private-nsqd.ts";
import { startPrivateRedis, whyNoRedis } from "./private-redis.ts";
import { acquireServices, describeError } from "./services.ts";

export type TestServers = {
  /** What the tests must find in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** For each kind of server that is not there, the reason. */
  readonly missing: Readonly<Partial<Record<ServerKindName, string>>>;
  /** Ends what was started; servers that were found running stay as they are. */
  readonly stop: () => Promise<void>;
};

type ServerKind = {
  readonly name: ServerKindName;
  /** The variable that names a server which already listens. */
  readonly variable: string;
  readonly whyNone: () => string | undefined;
  readonly start: () => Promise<StartedServers>;
};

type Settled =
  | { readonly kind: "given" }
  | { readonly kind: "started"; readonly servers: StartedServers }
  | { readonly kind: "absent"; readonly name: ServerKindName; readonly why: string };

const SERVER_KINDS: readonly ServerKind[] = [
  { name: "mysql", variable: "TEST_DATABASE_URL", whyNone: whyNoMariadb, start: startMysql },
  { name: "redis", variable: "TEST_REDIS_URL", whyNone: whyNoRedis, start: startRedis },
  { name: "nsqd", variable: "TEST_NSQD_TCP_ADDRESS", whyNone: whyNoNsqd, start: startNsqd },
];

/** Starts what the environment does not name, and asks every server for an answer. */
export async function bringUpServers(): Promise<TestServers> {
  const settled = await Promise.all(SERVER_KINDS.map(settle));
  const absent = settled.filter((one) => one.kind === "absent");
  const contained = await settleByCompose(absent);
  const started = [...settled, ...contained].flatMap((one) =>
    one.kind === "started" ? [one.servers] : [],
  );
  const missing = Object.fromEntries(
    contained.flatMap((one) => (one.kind === "absent" ? [[one.name, one.why]] : [])),
  );
  const environment = {
    TEST_START_SERVERS: "1",
    TEST_SERVERS_MISSING: JSON.stringify(missing),
    ...Object.fromEntries(started.flatMap((servers) => Object.entries(servers.environment))),
  };
  const found = await acquireServices({ ...process.env, ...environment });
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((servers) => servers.stop()));
  };
  return { environment, missing: onlyKinds(found.missing), stop };
}

async function settle(kind: ServerKind): Promise<Settled> {
  if (process.env[kind.variable]) return { kind: "given" };
  const why = kind.whyNone();
  if (why !== undefined) return { kind: "absent", name: kind.name, why };
  try {
    return { kind: "started", servers: await kind.start() };
  } catch (error) {
    return { kind: "absent", name: kind.name, why: describeError(error) };
  }
}

async function settleByCompose(absent: readonly (Settled & { kind: "absent" })[]) {
  if (absent.length === 0) return [];
  const why = (await whyNoCompose()) ?? (await tryCompose(absent.map((one) => one.name)));
  if (typeof why !== "string") return [why];
  return absent.map((one) => ({ ...one, why: `${one.why}, and ${why}` }));
}

async function tryCompose(names: readonly ServerKindName[]): Promise<Settled | string> {
  try {
    return { kind: "started", servers: await startComposeServers(names) };
  } catch (error) {
    return `docker compose failed: ${describeError(error)}`;
  }
}

function onlyKinds(missing: Readonly<Record<string, string>>): TestServers["missing"] {
  const kinds: readonly string[] = SERVER_KINDS.map((kind) => kind.name);
  return Object.fromEntries(Object.entries(missing).filter(([name]) => kinds.includes(name)));
}

async function startMysql(): Promise<StartedServers> {
  const { url, stop } = await startPrivateMariadb();
  return { environment: { TEST_DATABASE_URL: url }, stop };
}

async function startRedis(): Promise<StartedServers> {
  const { url, stop } = await startPrivateRedis();
  return { environment: { TEST_REDIS_URL: url }, stop };
}

async function startNsqd(): Promise<StartedServers> {
  const { tcpAddress, lookupdHttpAddress, stop } = await startPrivateNsqd();
  const environment = {
    TEST_NSQD_TCP_ADDRESS: tcpAddress,
    TEST_NSQLOOKUPD_HTTP_ADDRESS: lookupdHttpAddress,
  };
  return { environment, stop };
}
