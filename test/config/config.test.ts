// Shows what the environment becomes: one frozen Config, or every problem at once.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Config,
  describeSettings,
  type LoadOptions,
  loadConfig,
  scrubbedEnv,
} from "../../src/config/config.ts";
import { AppError } from "../../src/core/errors.ts";
import { allowsLoopbackCallbacks } from "../../src/core/loopback.ts";

type Variables = Record<string, string>;

const key = "0123456789abcdef0123456789abcdef";
const mysql = { DATABASE_URL: "mysql://u:hunter2@db:3306/jobs", SECRET_KEY: key };
const servers = { ...mysql, REDIS_URL: "redis://r:6379", NSQD_TCP_ADDRESSES: "n1:4150, n2:4150" };

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "config-"));
});
afterAll(() => rmSync(cwd, { recursive: true }));

function load(env: Variables, options: LoadOptions = {}): Config {
  return loadConfig({ env, cwd, ...options });
}

/** The lines of the problems; fails when there are none. */
function problemsOf(env: Variables, options: LoadOptions = {}): string[] {
  try {
    load(env, options);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.code).toBe("configuration");
    const lines = error.message.split("\n  ").slice(1);
    expect(error.details.errors?.length).toBe(lines.length);
    return lines;
  }
  throw new Error("the configuration was taken");
}

test("a zone that nobody chose on a machine in UTC is known to be assumed", () => {
  // Tests run in UTC.
  expect(load({})).toMatchObject({ isZoneAssumed: true });
  expect(load({ APP_TIMEZONE: " " })).toMatchObject({ isZoneAssumed: true });
  expect(load({ APP_TIMEZONE: "UTC" })).toMatchObject({ timezone: "UTC", isZoneAssumed: false });
});

describe("defaults", () => {
  test("nothing set is the embedded shape on loopback", () => {
    const config = load({});
    expect(config).toMatchObject({
      shape: "embedded",
      role: "all",
      host: "127.0.0.1",
      port: 9502,
      dataDir: join(cwd, ".data"),
      database: { kind: "sqlite", path: join(cwd, ".data", "serendipity.db") },
      callbackConcurrency: 256,
      leaseMs: 15_000,
      signatureTtlS: 86_400,
      maxBodyBytes: 1_048_576,
      maxBodiesMb: 64,
      applicationSlotShare: 0.75,
      migrate: true,
    });
    expect(config.executorSlots).toBeGreaterThanOrEqual(4);
    expect(config.jobsDir).toEndWith("/src/jobs");
  });

  test("it is frozen to the bottom and can be sent to another process", () => {
    const config = load(servers);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.nsq?.nsqdTcpAddresses)).toBe(true);
    expect(structuredClone(config)).toEqual(config);
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  test("an empty variable counts as unset", () => {
    expect(load({ PORT: "", REDIS_URL: "", CALLBACK_ALLOW: " " })).toEqual(load({}));
  });
});

describe("shapes", () => {
  test("MySQL alone, and the three servers with any role", () => {
    expect(load(mysql).shape).toBe("mysql");
    expect(load(servers)).toMatchObject({
      shape: "servers",
      nsq: { nsqdTcpAddresses: ["n1:4150", "n2:4150"], lookupdHttpAddresses: [] },
    });
    expect(load({ ...servers, ROLE: "executor" }).role).toBe("executor");
    expect(load({ ...servers, ROLE: "api" }).role).toBe("api");
  });

  const between: readonly [string, Variables, string][] = [
    ["SQLite with Redis", { REDIS_URL: "redis://r" }, "DATABASE_URL=mysql://…, NSQD_TCP_ADDRESSES"],
    ["SQLite with NSQ", { NSQD_TCP_ADDRESSES: "n:4150" }, "DATABASE_URL=mysql://…, REDIS_URL"],
    ["MySQL with Redis only", { ...mysql, REDIS_URL: "redis://r" }, "NSQD_TCP_ADDRESSES"],
    ["MySQL with NSQ only", { ...mysql, NSQD_TCP_ADDRESSES: "n:4150" }, "REDIS_URL"],
    [
      "nsqlookupd without nsqd",
      { ...mysql, REDIS_URL: "redis://r", NSQLOOKUPD_HTTP_ADDRESSES: "l:4161" },
      "NSQD_TCP_ADDRESSES",
    ],
  ];
  test.each(between)("%s is none of them", (_, env, missing) => {
    const lines = problemsOf(env);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`missing for a complete set of servers: ${missing};`);
    expect(lines[0]).toContain("exactly three: embedded");
  });

  test.each([
    ["embedded", {}],
    ["mysql", mysql],
  ] as const)("%s runs with ROLE=all only", (shape, env) => {
    expect(problemsOf({ ...env, ROLE: "api" })[0]).toStartWith(
      `ROLE=api: the shape "${shape}" runs in one process`,
    );
  });
});

describe("problems", () => {
  test("all are told at once, each with its variable, value, rule and the nearest name", () => {
    const lines = problemsOf({
      PORT: "70000",
      ROLE: "exector",
      LEASE_MS: "1999",
      LOG_LEVEL: "wran",
      APP_TIMEZONE: "Asia/Shangai",
      JOBS_DIR: "/no/such/folder",
    });
    expect(lines).toEqual([
      "PORT=70000: must be a whole number from 0 to 65535",
      "ROLE=exector: must be one of all, api, executor; did you mean executor?",
      "LEASE_MS=1999: must be a whole number from 2000 to 600000",
      "APP_TIMEZONE=Asia/Shangai: must be an IANA time zone such as Asia/Shanghai; did you mean Asia/Shanghai?",
      "LOG_LEVEL=wran: must be one of debug, info, warn, error, silent; did you mean warn?",
      "JOBS_DIR=/no/such/folder: must be a folder that exists",
    ]);
  });

  const broken: readonly [string, string][] = [
    ["PORT", "9502.0"],
    ["PORT", "-1"],
    ["PORT", "0x10"],
    ["HOST", "bad host"],
    ["HOST", "999.1.1.1"],
    ["LEASE_MS", "600001"],
    ["EXECUTOR_SLOTS", "0"],
    ["CALLBACK_CONCURRENCY", "0"],
    ["CALLBACK_ALLOW", "10.0.0.0/33"],
    ["CALLBACK_ALLOW", "http://intranet"],
    ["DATABASE_URL", "postgres://u@h/d"],
    ["DATABASE_URL", "mysql://u@h"],
    ["DATABASE_URL", "sqlite::memory:"],
    ["REDIS_URL", "http://r"],
    ["NSQD_TCP_ADDRESSES", "nsqd"],
    ["NSQD_TCP_ADDRESSES", "nsqd:4150,nsqd:0"],
    ["NSQ_TOPIC", "a b"],
    ["SECRET_KEY", "x".repeat(31)],
    ["ADMIN_TOKEN", "two words"],
    ["APP_TIMEZONE", "+08:00"],
    ["MIGRATE", "maybe"],
    ["RETENTION_DAYS", "0"],
  ];
  test.each(broken)("%s=%s breaks its rule", (name, value) => {
    const lines = problemsOf({ [name]: value }).filter((line) => line.startsWith(`${name}=`));
    expect(lines).toHaveLength(1);
  });

  test("secrets are masked whatever is wrong with them", () => {
    const secret = "hunter2-é";
    const lines = problemsOf({
      DATABASE_URL: `mysql:/root:${secret}@h/d`,
      REDIS_URL: `redis://:${secret}/x@h:99999`,
      ADMIN_TOKEN: secret,
      SECRET_KEY: secret,
    });
    expect(lines.join("\n")).not.toContain("hunter2");
    expect(lines[0]).toStartWith("DATABASE_URL=***: ");
    expect(lines[1]).toStartWith("REDIS_URL=redis://***: ");
  });

  test("MySQL needs SECRET_KEY", () => {
    expect(problemsOf({ DATABASE_URL: mysql.DATABASE_URL })[0]).toStartWith(
      "SECRET_KEY: is required with MySQL",
    );
  });

  test.each(["0.0.0.0", "::", "192.168.1.5", "example.org"])(
    "HOST=%s without ADMIN_TOKEN refuses to serve the API",
    (HOST) => {
      expect(problemsOf({ HOST })[0]).toStartWith(`HOST=${HOST}: is not a loopback address`);
      expect(load({ HOST, ADMIN_TOKEN: "t" }).host).toBe(HOST);
      expect(load({ ...servers, HOST, ROLE: "executor" }).host).toBe(HOST);
    },
  );

  test.each(["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])(
    "HOST=%s is loopback",
    (HOST) => {
      expect(load({ HOST }).host).toBe(HOST.replace(/[[\]]/g, ""));
    },
  );

  test("an api process needs no JOBS_DIR, an executor does", () => {
    const env = { ...servers, JOBS_DIR: "nowhere" };
    expect(load({ ...env, ROLE: "api" }).jobsDir).toBe(join(cwd, "nowhere"));
    expect(problemsOf({ ...env, ROLE: "executor" })[0]).toStartWith("JOBS_DIR=");
  });
});

describe("secrets from files", () => {
  test("the last line feed is not part of the secret", () => {
    writeFileSync(join(cwd, "token"), "s3cret\n");
    expect(load({ ADMIN_TOKEN_FILE: "token" }).adminToken).toBe("s3cret");
  });

  test("a secret given twice, a missing file and an empty one are problems", () => {
    writeFileSync(join(cwd, "empty"), "\n");
    const lines = problemsOf({
      ADMIN_TOKEN: "t",
      ADMIN_TOKEN_FILE: "token",
      SECRET_KEY_FILE: "no-such-file",
      REDIS_URL_FILE: "empty",
    });
    expect(lines).toContain(
      "ADMIN_TOKEN_FILE=token: ADMIN_TOKEN is set as well; keep one of the two",
    );
    expect(lines).toContain("REDIS_URL_FILE=empty: the file is empty");
    expect(
      lines.some((line) => line.startsWith("SECRET_KEY_FILE=no-such-file: cannot be read")),
    ).toBe(true);
  });
});

describe("sources", () => {
  test(".env in the working directory is read, the real environment wins, --role wins over both", () => {
    const folder = mkdtempSync(join(cwd, "env-"));
    writeFileSync(
      join(folder, ".env"),
      'PORT=1111\nLOG_LEVEL=debug\nADMIN_TOKEN_FILE=x\nNSQ_TOPIC="a$b"\n',
    );
    const lines = problemsOf({ PORT: "2222", ADMIN_TOKEN: "t" }, { cwd: folder });
    expect(lines).toEqual(["NSQ_TOPIC=a$b: must be 1 to 48 characters out of A-Z a-z 0-9 . _ -"]);
    const config = load({ PORT: "2222", NSQ_TOPIC: "t", ADMIN_TOKEN: "t" }, { cwd: folder });
    expect(config).toMatchObject({ port: 2222, logLevel: "debug", adminToken: "t" });
    expect(load({ ...servers, ROLE: "api" }, { role: "executor" }).role).toBe("executor");
  });

  test("a misspelt variable is warned about with the nearest name, others are left alone", () => {
    const warnings: string[] = [];
    const env = {
      EXECUTOR_SLOT: "3",
      APP_TIMEZON: "UTC",
      REDIS_PASSWORD: "p",
      PORT_FILE: "x",
      EXECUTOR_SLOTS_FILE: "x",
      HOME: "/",
      PATH: "/bin",
      APP_ENV: "production",
    };
    load(env, { warn: (line) => warnings.push(line) });
    expect(warnings).toEqual([
      "EXECUTOR_SLOT is no setting; did you mean EXECUTOR_SLOTS?",
      "APP_TIMEZON is no setting; did you mean APP_TIMEZONE?",
      "REDIS_PASSWORD is no setting",
      "EXECUTOR_SLOTS_FILE is no setting: only secrets can come from a file; set EXECUTOR_SLOTS",
    ]);
  });

  test("the scrubbed environment has none of our settings and everything else", () => {
    const env = { ...servers, SECRET_KEY_FILE: "f", PATH: "/bin", LANG: "C", EMPTY: undefined };
    expect(scrubbedEnv(env)).toEqual({ PATH: "/bin", LANG: "C" });
  });
});

test("callbacks may reach loopback only embedded, on a loopback HOST, without CALLBACK_ALLOW", () => {
  expect(allowsLoopbackCallbacks(load({}))).toBe(true);
  expect(allowsLoopbackCallbacks(load({ CALLBACK_ALLOW: "none" }))).toBe(false);
  expect(load({ CALLBACK_ALLOW: "none" }).callbackAllow).toEqual([]);
  expect(allowsLoopbackCallbacks(load({ CALLBACK_ALLOW: "10.0.0.0/8, intranet" }))).toBe(false);
  expect(allowsLoopbackCallbacks(load({ HOST: "0.0.0.0", ADMIN_TOKEN: "t" }))).toBe(false);
  expect(allowsLoopbackCallbacks(load(mysql))).toBe(false);
});

test("the help names every setting, its rule and what unset means", () => {
  const help = describeSettings();
  expect(help).toContain("LEASE_MS");
  expect(help).toContain("a whole number from 2000 to 600000 [15000]");
  expect(help).toContain("or SECRET_KEY_FILE");
});
