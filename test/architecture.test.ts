// Holds the source to the import rules of the architecture: who may import what, as two tables.
import { describe, expect, test } from "bun:test";
import {
  brokenDriverRules,
  brokenPackageRules,
  brokenPlaceRules,
  type DriverRule,
  loadedBy,
  type PlaceRule,
} from "./support/import-rules.ts";
import { parseSource, readSourceFiles, usesRuntime } from "./support/source-files.ts";

const ports = [
  "src/store/store.ts",
  "src/store/catalogue-store.ts",
  "src/store/attempt-store.ts",
  "src/queue/queue.ts",
  "src/bus/bus.ts",
];
const config = "src/config/config.ts";
/** What core may use: it computes, and reaches neither network, disk nor process. */
const computing = [
  ...["ajv", "canonicalize", "fastest-levenshtein", "ipaddr.js", "re2js"],
  ...["node:buffer", "node:crypto", "node:url"],
  // To read addresses, and to load re2js late: the drivers' table names the files.
  ...["node:net", "node:module"],
];

// biome-ignore format: a table is read by its columns
const placeRules: readonly PlaceRule[] = [
  { place: "src/core/",          imports: ["src/core/"], types: [], packages: computing, why: "core knows nothing but itself" },
  { place: "src/use-cases/",     imports: ["src/core/", "src/use-cases/"], types: ports, packages: computing, why: "a use case knows core and the types of ports" },
  { place: "src/store/store.ts", imports: [], types: ["src/core/", "src/store/executor-store.ts", "src/store/catalogue-store.ts", "src/store/attempt-store.ts"], why: "a port is types about core's types" },
  { place: "src/store/executor-store.ts", imports: [], types: ["src/core/"], why: "it is a part of the store's port" },
  { place: "src/store/attempt-store.ts", imports: [], types: ["src/core/"], why: "it is a part of the store's port" },
  { place: "src/store/catalogue-store.ts", imports: [], types: ["src/core/"], why: "it is a part of the store's port" },
  { place: "src/queue/queue.ts", imports: [], types: ["src/core/"], why: "a port is types about core's types" },
  { place: "src/bus/bus.ts",     imports: [], types: ["src/core/"], why: "a port is types about core's types" },

  { place: "src/store/",         imports: ["src/core/", "src/store/"], types: [config], why: "an adapter knows its port, core and its driver" },
  { place: "src/queue/",         imports: ["src/core/", "src/queue/"], types: [config], why: "an adapter knows its port, core and its driver" },
  { place: "src/bus/",           imports: ["src/core/", "src/bus/"], types: [config], why: "an adapter knows its port, core and its driver" },

  { place: "src/http/",          imports: ["src/core/", "src/use-cases/", "src/http/"], types: [...ports, config], why: "http calls use cases; it runs nothing itself" },
  { place: "src/callback/",      imports: ["src/core/", "src/callback/"], types: [config], why: "a delivery knows neither store nor queue" },
  { place: "src/job/",           imports: ["src/core/", "src/job/", "src/sdk/", "src/process/"], types: [...ports, config], why: "job code must not reach store, queue or http" },
  { place: "src/sdk/",           imports: ["src/sdk/"], types: ["src/core/"], why: "job authors get the sdk and nothing behind it" },
  { place: "src/jobs/",          imports: ["src/jobs/"], types: [], why: 'a job imports "serendipity-job"' },
  { place: "src/consumer/",      imports: ["src/core/", "src/consumer/"], types: ports, why: "one loop for every lane: it knows ports, and no lane" },
  { place: "src/executor/consumer-thread.ts", imports: ["src/core/", "src/consumer/", "src/job/", "src/callback/", "src/process/", "src/executor/", "src/adapters.ts", "src/log.ts", config], types: ports, why: "the root of a thread wires it, without http" },
  { place: "src/consumer/clock-offset.ts", imports: ["src/core/", "src/use-cases/clock-ahead.ts"], types: ports, why: "it compares clocks as readiness does" },
  { place: "src/executor/",      imports: ["src/core/", "src/use-cases/", "src/executor/", "src/process/", "src/job/", "src/bus/", "src/queue/", "src/store/", "src/adapters.ts", "src/log.ts", config], types: [...ports, "src/consumer/"], why: "it owns threads and processes, and serves no http" },
  { place: "src/executor/thread-handle.ts", imports: ["src/core/", "src/executor/", "src/process/ipc-link.ts"], types: [...ports, "src/consumer/"], why: "the executor's end of the thread only starts and stops it" },
  { place: "src/process/",       imports: ["src/core/", "src/process/"], types: [config], why: "what the system is asked for knows nothing of tasks" },

  { place: config,               imports: ["src/core/", "src/config/"], types: [], why: "configuration is read before anything else" },
  { place: "src/config/",        imports: ["src/core/", "src/config/"], types: [config], why: "configuration is read before anything else" },
  { place: "src/process/ipc-link.ts",       imports: ["src/core/"], types: [], why: "a link carries messages and knows none of them" },
  { place: "src/log.ts",         imports: ["src/core/"], types: [config], why: "everything logs, so it stands on nothing" },
  { place: "src/adapters.ts",    imports: ["src/core/", "src/store/", "src/queue/", "src/bus/"], types: [config], why: "it turns the configuration into ports" },
  { place: "src/",               imports: ["src/"], types: [], why: "" },
];

const threadPlaces = ["src/executor/", "src/process/", "src/job/"];

const driverRules: readonly DriverRule[] = [
  { driver: "elysia", places: ["src/http/"] },
  { driver: "@elysiajs/", places: ["src/http/"] },
  { driver: "swagger-ui-dist", places: ["src/http/"] },
  { driver: "@noble/hashes", places: ["src/http/"] },
  { driver: "kysely", places: ["src/store/"] },
  { driver: "mysql2", places: ["src/store/"] },
  { driver: "node:sqlite", places: ["src/store/", "src/data-dir.ts"] },
  { driver: "nsqjs", places: ["src/queue/nsq.ts"] },
  { driver: "ioredis", places: ["src/bus/redis-connection.ts"] },
  { driver: "node:worker_threads", places: threadPlaces },
  { driver: "node:child_process", places: threadPlaces },
  { driver: "serendipity-job", places: ["src/jobs/"] },
  { driver: "bun", places: ["src/http/listen.ts", "src/job/loader-bun.ts"] },
  { driver: "bun:", places: [] },
  {
    driver: "node:net",
    places: [
      "src/callback/",
      "src/config/",
      "src/queue/",
      "src/core/link-url.ts",
      "src/core/loopback.ts",
      "src/core/public-address.ts",
    ],
  },
  { driver: "node:module", places: ["src/job/", "src/http/docs.ts", "src/core/linear-pattern.ts"] },
  // An adapter never knows another one, and a job file is imported by nothing but job workers.
  { driver: "src/store/sqlite.ts", places: ["src/adapters.ts"] },
  { driver: "src/store/mysql.ts", places: ["src/adapters.ts"] },
  { driver: "src/queue/nsq.ts", places: ["src/adapters.ts"] },
  { driver: "src/queue/local.ts", places: ["src/adapters.ts"] },
  { driver: "src/bus/redis.ts", places: ["src/adapters.ts"] },
  { driver: "src/bus/local.ts", places: ["src/adapters.ts"] },
  { driver: "src/jobs/", places: ["src/jobs/"] },
];

/** What must never be loaded, by the file that starts a process or thread. */
const unloaded = [
  { entry: "src/executor/executor.ts", never: ["src/http/", "src/jobs/", "elysia"] },
  { entry: "src/executor/consumer-thread.ts", never: ["src/http/", "src/jobs/", "elysia"] },
  { entry: "src/job/job-worker.ts", never: ["src/http/", "src/store/", "src/queue/", "src/bus/"] },
];

const files = readSourceFiles("src");

describe("imports of src", () => {
  test("every file imports only what the table allows its place", () => {
    expect(brokenPlaceRules(files, placeRules)).toEqual([]);
  });

  test("core imports only packages that compute", () => {
    expect(brokenPackageRules(files, placeRules)).toEqual([]);
  });

  test("every driver is imported only where the table allows it", () => {
    expect(brokenDriverRules(files, driverRules)).toEqual([]);
  });

  test.each(unloaded)("$entry never loads $never", ({ entry, never }) => {
    const loaded = [...loadedBy(entry, files)];
    expect(loaded.length).toBeGreaterThan(1);
    expect(loaded.filter((module) => never.some((name) => module.startsWith(name)))).toEqual([]);
  });
});

describe("files", () => {
  test("every file begins with a comment that says what it is for", () => {
    const silent = [...files, ...readSourceFiles("test")].filter(
      (file) => !/^(#!.*\n)?\/\/ \S|^\/\*\* \S/.test(file.text),
    );
    expect(silent.map((file) => file.path)).toEqual([]);
  });

  test("no folder or file is called after nothing", () => {
    const vague = /(^|\/)(.+-)?(utils?|helpers?|common|misc|shared)(\.|\/|$)/;
    expect(files.map((file) => file.path).filter((path) => vague.test(path))).toEqual([]);
  });
});

describe("the globals of one runtime", () => {
  const behindFallback = [
    "src/http/listen.ts",
    "src/job/loader-bun.ts",
    "src/job/live/map-file.ts",
    "src/job/conceal.ts",
  ];

  test("only the files with a portable fallback use Bun or Deno", () => {
    const naming = files.filter((file) => usesRuntime(file));
    expect(naming.map((file) => file.path).filter((it) => !behindFallback.includes(it))).toEqual(
      [],
    );
  });

  test.each([
    ["Bun.serve();", true],
    ["globalThis.Bun?.serve();", true],
    ['globalThis["Deno"];', true],
    ["const { Bun: it } = globalThis;", true],
    ["/* Bun stops here */ process.versions.bun;", false],
    ['const canKill = !("Deno" in globalThis);', false],
    ['log("needs Bun 1.4");', false],
  ])("%s counts as using it: %p", (text, counts) => {
    expect(usesRuntime(parseSource("src/a.ts", text))).toBe(counts);
  });
});

describe("the tables bite", () => {
  const refused = [
    ["src/core/task.ts", 'import { openStore } from "../store/store.ts";'],
    ["src/core/task.ts", 'import type { Store } from "../store/store.ts";'],
    ["src/core/task.ts", 'import { submitTask } from "../use-cases/submit-task.ts";'],
    ["src/use-cases/reap.ts", 'import { openStore } from "../store/mysql.ts";'],
    ["src/consumer/turn.ts", 'import { reap } from "../use-cases/reap.ts";'],
    ["src/core/task.ts", 'import type { Config } from "../config.ts";'],
    ["src/core/task.ts", 'export { openStore } from "../store/store.ts";'],
    ["src/core/task.ts", 'const store = await import("../store/store.ts");'],
    ["src/store/store.ts", 'import { AppError } from "../core/errors.ts";'],
    ["src/store/store.ts", 'import type { Queue } from "../queue/queue.ts";'],
    ["src/store/tasks.ts", 'import { createNsqQueue } from "../queue/nsq.ts";'],
    ["src/http/tasks.ts", 'import { createSqliteStore } from "../store/sqlite.ts";'],
    ["src/http/tasks.ts", 'import type { Turn } from "../consumer/turn.ts";'],
    ["src/http/tasks.ts", 'type Pool = import("../job/pool.ts").Pool;'],
    ["src/job/run-job.ts", 'import { server } from "../http/server.ts";'],
    ["src/consumer/turn.ts", 'import { server } from "../http/server.ts";'],
    ["src/consumer/turn.ts", 'import { createAdapters } from "../adapters.ts";'],
    ["src/consumer/turn.ts", 'import { runJob } from "../job/run-job.ts";'],
    ["src/process/signals.ts", 'import type { Store } from "../store/store.ts";'],
    ["src/jobs/countdown.ts", 'import { AppError } from "../core/errors.ts";'],
    ["src/api.ts", 'import { parse } from "../test/support/source-files.ts";'],
  ] as const;

  test.each(refused)("%s must not say: %s", (path, text) => {
    expect(brokenPlaceRules([parseSource(path, text)], placeRules)).toHaveLength(1);
  });

  test.each([
    'import { readFile } from "node:fs/promises";',
    'import { request } from "node:http";',
    'import type { Socket } from "node:tls";',
    'import pino from "pino";',
    'import { Type } from "@sinclair/typebox";',
  ])("src/core/task.ts must not say: %s", (text) => {
    expect(brokenPackageRules([parseSource("src/core/task.ts", text)], placeRules)).toHaveLength(1);
    expect(brokenPackageRules([parseSource("src/http/app.ts", text)], placeRules)).toEqual([]);
  });

  const refusedDrivers = [
    ["src/core/task.ts", 'import { Elysia } from "elysia";'],
    ["src/api.ts", 'import type { Elysia } from "elysia";'],
    ["src/http/docs.ts", 'import { sql } from "kysely";'],
    ["src/consumer/turn.ts", 'import { createPool } from "mysql2/promise";'],
    ["src/core/lease.ts", 'import { DatabaseSync } from "node:sqlite";'],
    ["src/core/lease.ts", 'import { connect } from "node:net";'],
    ["src/queue/local.ts", 'import nsq from "nsqjs";'],
    ["src/bus/local.ts", 'import { Redis } from "ioredis";'],
    ["src/consumer/turn.ts", 'import { Worker } from "node:worker_threads";'],
    ["src/api.ts", 'import { fork } from "node:child_process";'],
    ["src/http/server.ts", 'import { serve } from "bun";'],
    ["src/store/sqlite.ts", 'import { Database } from "bun:sqlite";'],
    ["src/store/sqlite.ts", 'import { createMysqlStore } from "./mysql.ts";'],
    ["src/queue/local.ts", 'import { createNsqQueue } from "./nsq.ts";'],
    ["src/job/job-worker.ts", 'import countdown from "../jobs/countdown.ts";'],
  ] as const;

  test.each(refusedDrivers)("%s must not say: %s", (path, text) => {
    expect(brokenDriverRules([parseSource(path, text)], driverRules)).toHaveLength(1);
  });

  const allowed = [
    ["src/use-cases/submit-task.ts", 'import type { Store } from "../store/store.ts";'],
    ["src/store/store.ts", 'import type { Task } from "../core/task.ts";'],
    ["src/store/tasks.ts", 'import { sql } from "kysely";'],
    ["src/queue/nsq.ts", 'import nsq from "nsqjs";'],
    ["src/adapters.ts", 'import { createNsqQueue } from "./queue/nsq.ts";'],
    ["src/executor/consumer-thread.ts", 'import { createJobLane } from "../job/job-lane.ts";'],
    ["src/job/pool.ts", 'import { Worker } from "node:worker_threads";'],
    ["src/jobs/countdown.ts", 'import { defineJob } from "serendipity-job";'],
  ] as const;

  test.each(allowed)("%s may say: %s", (path, text) => {
    const file = parseSource(path, text);
    expect(brokenPlaceRules([file], placeRules)).toEqual([]);
    expect(brokenDriverRules([file], driverRules)).toEqual([]);
  });

  test("what a file loads is followed through its imports, not through types", () => {
    const project = [
      parseSource("src/a.ts", 'import "./b.ts"; import type { X } from "./c.ts";'),
      parseSource("src/b.ts", 'import { Elysia } from "elysia";'),
      parseSource("src/c.ts", 'import "ioredis";'),
    ];
    expect(loadedBy("src/a.ts", project)).toEqual(new Set(["src/a.ts", "src/b.ts", "elysia"]));
  });
});
