// Holds the source to the import rules of the architecture, as two tables.
import { describe, expect, test } from "bun:test";
import {
  brokenDriverRules,
  brokenPackageRules,
  brokenPlaceRules,
  loadedBy,
} from "./support/import-rules.ts";
import { databases, driverRules, placeRules, unloaded } from "./support/room-rules.ts";
import { codeOf, parseSource, readSourceFiles, usesRuntime } from "./support/source-files.ts";

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

describe("what differs between databases", () => {
  const { folders, withoutTwin, words, except } = databases;

  test("lies in folders with the same files", () => {
    const [first = [], ...others] = folders.map((folder) =>
      files
        .filter(({ path }) => path.startsWith(folder))
        .map(({ path }) => path.slice(folder.length))
        .filter((name) => !withoutTwin.some((only) => only === name)),
    );
    expect(first.length).toBeGreaterThan(5);
    for (const other of others) expect(other).toEqual(first);
  });

  test("is said nowhere else in the store", () => {
    const elsewhere = files.filter(
      ({ path }) =>
        path.startsWith("src/store/") && ![...folders, ...except].some((it) => path.startsWith(it)),
    );
    expect(elsewhere.filter((file) => words.test(codeOf(file))).map(({ path }) => path)).toEqual(
      [],
    );
  });

  test.each([
    ['const isMysql = dialect.kind === "mysql";', true],
    ['const place = "?";', true],
    ['const text = "coalesce(?, 1)";', true],
    ["connection.replaceInto(table);", true],
    ["// SQLite takes 500\nconst MOST = 400;", false],
    ["const row = found?.[0] ?? null;", false],
  ])("%s counts as saying it: %p", (text, counts) => {
    expect(words.test(codeOf(parseSource("src/store/a.ts", text)))).toBe(counts);
  });
});

describe("the globals of one runtime", () => {
  const behindFallback = [
    "src/http/listen.ts",
    "src/job/inside/loader-bun.ts",
    "src/job/host/bundler-bun.ts",
    "src/job/wire/map-file.ts",
    "src/job/inside/conceal.ts",
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
    ["src/use-cases/reap.ts", 'import { openStore } from "../store/mysql/store.ts";'],
    ["src/consumer/turn.ts", 'import { reap } from "../use-cases/reap.ts";'],
    ["src/core/task.ts", 'import type { Config } from "../config.ts";'],
    ["src/core/task.ts", 'export { openStore } from "../store/store.ts";'],
    ["src/core/task.ts", 'const store = await import("../store/store.ts");'],
    ["src/store/store.ts", 'import { AppError } from "../core/errors.ts";'],
    ["src/store/store.ts", 'import type { Queue } from "../queue/queue.ts";'],
    ["src/store/tasks.ts", 'import { createNsqQueue } from "../queue/nsq.ts";'],
    ["src/http/tasks.ts", 'import { createSqliteStore } from "../store/sqlite/store.ts";'],
    ["src/http/tasks.ts", 'import type { Turn } from "../consumer/turn.ts";'],
    ["src/http/tasks.ts", 'type Pool = import("../job/pool.ts").Pool;'],
    ["src/job/attempt/run-job.ts", 'import { server } from "../http/server.ts";'],
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
    ["src/store/sqlite/store.ts", 'import { Database } from "bun:sqlite";'],
    ["src/store/sqlite/store.ts", 'import { createMysqlStore } from "../mysql/store.ts";'],
    ["src/store/compose-store.ts", 'import { mysqlDdl } from "./mysql/ddl.ts";'],
    ["src/store/create-tasks.ts", 'import type { ResultSetHeader } from "mysql2";'],
    ["src/queue/local.ts", 'import { createNsqQueue } from "./nsq.ts";'],
    ["src/job/inside/job-worker.ts", 'import countdown from "../../jobs/countdown.ts";'],
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
    ["src/job/host/pool.ts", 'import { Worker } from "node:worker_threads";'],
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
