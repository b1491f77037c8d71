// The import rules of the architecture as tables: one sentence per room, and what each thread must never load.
import type { DriverRule, PlaceRule } from "./import-rules.ts";

/** The files of the store's port besides `store.ts`. */
const storeParts = [
  "src/store/attempt-store.ts",
  "src/store/catalogue-store.ts",
  "src/store/executor-store.ts",
];
const ports = ["src/store/store.ts", ...storeParts, "src/queue/queue.ts", "src/bus/bus.ts"];
const config = "src/config/config.ts";
/** What core may use: it computes, and reaches neither network, disk nor process. */
const computing = [
  ...["ajv", "canonicalize", "fastest-levenshtein", "ipaddr.js", "re2js"],
  ...["node:buffer", "node:crypto", "node:url"],
  // To read addresses, and to load re2js late: the drivers' table names the files.
  ...["node:net", "node:module"],
];

// biome-ignore format: a table is read by its columns
export const placeRules: readonly PlaceRule[] = [
  { place: "src/core/",          imports: ["src/core/"], types: [], packages: computing, why: "core knows nothing but itself" },
  { place: "src/core/views/",    imports: ["src/core/"], types: [], packages: [...computing, "@sinclair/typebox"], why: "a view is a schema; its type follows" },
  { place: "src/use-cases/",     imports: ["src/core/", "src/use-cases/"], types: ports, packages: computing, why: "a use case knows core and the types of ports" },
  { place: "src/store/store.ts", imports: [], types: ["src/core/", ...storeParts], why: "a port is types about core's types" },
  ...storeParts.map((place) => ({ place, imports: [], types: ["src/core/"], why: "it is a part of the store's port" })),
  { place: "src/queue/queue.ts", imports: [], types: ["src/core/"], why: "a port is types about core's types" },
  { place: "src/bus/bus.ts",     imports: [], types: ["src/core/"], why: "a port is types about core's types" },

  { place: "src/store/",         imports: ["src/core/", "src/store/"], types: [config], why: "an adapter knows its port, core and its driver" },
  { place: "src/queue/",         imports: ["src/core/", "src/queue/"], types: [config], why: "an adapter knows its port, core and its driver" },
  { place: "src/bus/",           imports: ["src/core/", "src/bus/"], types: [config], why: "an adapter knows its port, core and its driver" },

  { place: "src/http/",          imports: ["src/core/", "src/use-cases/", "src/http/"], types: [...ports, config], why: "http calls use cases; it runs nothing itself" },
  { place: "src/callback/",      imports: ["src/core/", "src/callback/"], types: [config], why: "a delivery knows neither store nor queue" },
  { place: "src/job/",           imports: ["src/core/", "src/job/", "src/live/", "src/process/"], types: [...ports, config], why: "the lane knows neither store, queue nor http" },
  { place: "src/job/attempt/",   imports: ["src/core/", "src/job/attempt/", "src/job/host/", "src/job/wire/", "src/live/", "src/process/"], types: [], why: "an attempt as the consumer sees it; it drives a host" },
  { place: "src/job/host/",      imports: ["src/core/", "src/job/host/", "src/job/wire/", "src/live/", "src/process/"], types: [], why: "the owner of a thread or process knows no attempt's fate" },
  { place: "src/job/wire/",      imports: ["src/core/", "src/job/wire/", "src/sdk/errors.ts"], types: [], why: "both sides load it, so it stands on nothing of either" },
  { place: "src/job/inside/",    imports: ["src/core/", "src/job/inside/", "src/job/wire/", "src/live/inside/", "src/sdk/"], types: [], why: "what runs beside job code reaches its owner by the wire only" },
  { place: "src/job/inside/job-worker.ts", imports: ["src/core/", "src/job/inside/", "src/job/wire/", "src/live/inside/", "src/sdk/", "src/process/thread-stat.ts"], types: [], why: "its last act is to note the processor time of its thread" },
  { place: "src/live/",          imports: ["src/core/", "src/live/", "src/job/wire/", "src/process/"], types: [], why: "where a job is can be told without knowing its attempt" },
  { place: "src/live/rewrite/",  imports: ["src/live/rewrite/", "src/live/locations.ts", "src/job/wire/names.ts"], types: ["src/job/wire/prepared-source.ts"], why: "a compiler: text in, text and locations out" },
  { place: "src/live/inside/",   imports: ["src/live/inside/", "src/job/wire/"], types: [], why: "what rewritten code calls runs beside job code" },
  { place: "src/sdk/",           imports: ["src/sdk/"], types: ["src/core/"], why: "job authors get the sdk and nothing behind it" },
  { place: "src/jobs/",          imports: ["src/jobs/"], types: [], why: 'a job imports "serendipity-job"' },
  { place: "src/consumer/",      imports: ["src/core/", "src/consumer/"], types: ports, why: "one loop for every lane: it knows ports, and no lane" },
  { place: "src/executor/consumer-thread.ts", imports: ["src/core/", "src/consumer/", "src/job/", "src/callback/", "src/process/", "src/executor/", "src/adapters.ts", "src/log.ts", config], types: ports, why: "the root of a thread wires it, without http" },
  { place: "src/consumer/clock-offset.ts", imports: ["src/core/", "src/use-cases/clock-ahead.ts"], types: ports, why: "it compares clocks as readiness does" },
  { place: "src/executor/",      imports: ["src/core/", "src/use-cases/", "src/executor/", "src/process/", "src/job/", "src/live/", "src/bus/", "src/queue/", "src/store/", "src/adapters.ts", "src/log.ts", config], types: [...ports, "src/consumer/"], why: "it owns threads and processes, and serves no http" },
  { place: "src/executor/thread-handle.ts", imports: ["src/core/", "src/executor/", "src/process/ipc-link.ts"], types: [...ports, "src/consumer/"], why: "the executor's end of the thread only starts and stops it" },
  { place: "src/process/",       imports: ["src/core/", "src/process/"], types: [config], why: "what the system is asked for knows nothing of tasks" },

  { place: config,               imports: ["src/core/", "src/config/"], types: [], why: "configuration is read before anything else" },
  { place: "src/config/",        imports: ["src/core/", "src/config/"], types: [config], why: "configuration is read before anything else" },
  { place: "src/process/ipc-link.ts",       imports: ["src/core/"], types: [], why: "a link carries messages and knows none of them" },
  { place: "src/log.ts",         imports: ["src/core/"], types: [config], why: "everything logs, so it stands on nothing" },
  { place: "src/adapters.ts",    imports: ["src/core/", "src/store/sqlite/store.ts", "src/store/mysql/store.ts", "src/queue/", "src/bus/"], types: [...ports, config], why: "it turns the configuration into ports" },
  { place: "src/",               imports: ["src/"], types: [], why: "" },
];

const threadPlaces = ["src/executor/", "src/process/", "src/job/"];

export const driverRules: readonly DriverRule[] = [
  { driver: "elysia", places: ["src/http/"] },
  { driver: "@elysiajs/", places: ["src/http/"] },
  { driver: "swagger-ui-dist", places: ["src/http/"] },
  { driver: "@noble/hashes", places: ["src/http/"] },
  { driver: "@sinclair/typebox", places: ["src/core/views/", "src/http/", "src/sdk/"] },
  { driver: "kysely", places: ["src/store/"] },
  { driver: "mysql2", places: ["src/store/mysql/"] },
  { driver: "node:sqlite", places: ["src/store/sqlite/", "src/data-dir.ts"] },
  { driver: "nsqjs", places: ["src/queue/nsq.ts"] },
  { driver: "ioredis", places: ["src/bus/redis-connection.ts"] },
  { driver: "node:worker_threads", places: threadPlaces },
  { driver: "node:child_process", places: threadPlaces },
  { driver: "serendipity-job", places: ["src/jobs/"] },
  {
    driver: "bun",
    places: ["src/http/listen.ts", "src/job/inside/loader-bun.ts", "src/job/host/bundler-bun.ts"],
  },
  { driver: "bun:", places: [] },
  {
    driver: "node:net",
    places: [
      "src/callback/",
      "src/config/",
      "src/queue/",
      "src/core/allowed-hosts.ts",
      "src/core/link-url.ts",
      "src/core/loopback.ts",
      "src/core/public-address.ts",
    ],
  },
  {
    driver: "node:module",
    places: ["src/job/", "src/live/inside/", "src/http/docs.ts", "src/core/linear-pattern.ts"],
  },
  // An adapter never knows another one, and a job file is imported by nothing but job workers.
  { driver: "src/store/sqlite/", places: ["src/store/sqlite/", "src/adapters.ts"] },
  { driver: "src/store/mysql/", places: ["src/store/mysql/", "src/adapters.ts"] },
  { driver: "src/queue/nsq.ts", places: ["src/adapters.ts"] },
  { driver: "src/queue/local.ts", places: ["src/adapters.ts"] },
  { driver: "src/bus/redis.ts", places: ["src/adapters.ts"] },
  { driver: "src/bus/local.ts", places: ["src/adapters.ts"] },
  { driver: "src/jobs/", places: ["src/jobs/"] },
  // What runs beside job code is loaded by job workers only, and the compiler by nobody but the sources' keeper.
  { driver: "src/job/inside/", places: ["src/job/inside/"] },
  { driver: "src/live/inside/", places: ["src/live/inside/", "src/job/inside/"] },
  { driver: "src/live/rewrite/", places: ["src/live/rewrite/", "src/live/sources.ts"] },
];

/** What must never be loaded, by the file that starts a process or thread. */
const adapters = ["src/http/", "src/store/", "src/queue/", "src/bus/"];
/** What callers see is a matter of types everywhere else than in the processes that serve HTTP. */
const views = "src/core/views/";
export const unloaded = [
  { entry: "src/main.ts", never: ["src/jobs/", "src/job/inside/", "src/live/inside/"] },
  {
    entry: "src/executor/executor.ts",
    never: ["src/http/", views, "src/jobs/", "src/job/inside/", "elysia"],
  },
  {
    entry: "src/executor/consumer-thread.ts",
    never: ["src/http/", views, "src/jobs/", "src/job/inside/", "src/live/inside/", "elysia"],
  },
  {
    entry: "src/job/host/job-process-main.ts",
    never: [
      ...adapters,
      views,
      "src/use-cases/",
      "src/consumer/",
      "src/executor/",
      "src/job/inside/",
    ],
  },
  {
    entry: "src/job/inside/job-worker.ts",
    never: [
      ...adapters,
      views,
      "src/use-cases/",
      "src/consumer/",
      "src/executor/",
      "src/job/host/",
      "src/job/attempt/",
      "src/live/rewrite/",
      "src/live/reader.ts",
    ],
  },
];

/** What differs between databases: one folder each, with the same files. */
export const databases = {
  folders: ["src/store/mysql/", "src/store/sqlite/"],
  /** One protocol, several servers. */
  withoutTwin: ["server.ts"],
  /** Only these folders say this, comments aside. */
  words:
    /sqlite|mysql|mariadb|tidb|replaceInto|auto_?increment|errno|errcode|pragma|[`"'(]\?[`"',)]/i,
  /** A way to write places that a database may choose. */
  except: ["src/store/question-marks.ts"],
} as const;
