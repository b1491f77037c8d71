// Environment → one frozen Config; all problems at once. The only file that reads process.env.
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { AppError, messageOf } from "../core/errors.ts";
import { type Problem, problemLine, unknownNameWarnings } from "./problems.ts";
import { type Env, readValues, type SecretFile } from "./read-values.ts";
import { KNOWN_NAMES, type SettingValues, settingsHelp } from "./settings.ts";
import { shapeOf, shapeProblems } from "./shape.ts";

/** The shapes in which the platform runs; there is nothing between them. */
export type Shape = "embedded" | "mysql" | "servers";
export type Role = "all" | "api" | "executor";

/** Every setting, checked. */
export interface Config {
  readonly shape: Shape;
  readonly role: Role;
  readonly host: string;
  readonly port: number;
  /** Absolute. */
  readonly dataDir: string;
  readonly database:
    | { readonly kind: "sqlite"; readonly path: string }
    | { readonly kind: "mysql"; readonly url: string };
  readonly redisUrl: string | null;
  readonly nsq: NsqConfig | null;
  /** Absolute. */
  readonly jobsDir: string;
  readonly executorSlots: number;
  /** Part of the slots that one application's jobs may take while others create tasks; 1: all. */
  readonly applicationSlotShare: number;
  readonly callbackConcurrency: number;
  /** CIDRs and host names that callbacks may reach although they are not public; null: unset. */
  readonly callbackAllow: readonly string[] | null;
  /** Ports below 1024 that callbacks may use besides 80 and 443. */
  readonly callbackPorts: readonly number[];
  readonly leaseMs: number;
  readonly executorDrainMs: number;
  /** Resident memory of an executor in MB above which it ends an attempt; null: no limit. */
  readonly executorRssMb: number | null;
  readonly adminToken: string | null;
  /** Null only in the embedded shape, which keeps a key file in `dataDir`. */
  readonly secretKey: string | null;
  /** IANA name. */
  readonly timezone: string;
  /** True when APP_TIMEZONE is not set and the machine is on UTC: then times without a zone may be hours off. */
  readonly isZoneAssumed: boolean;
  /** Whether changed job files are read again while the program runs: for authors of jobs. */
  readonly watchJobs: boolean;
  readonly signatureTtlS: number;
  /** Epoch ms up to which ready-made headers do not expire; null: they do. */
  readonly legacyPayloadUntil: number | null;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly maxBodyBytes: number;
  /** MiB of request bodies that may be under way at once. */
  readonly maxBodiesMb: number;
  readonly createDeadlineMs: number;
  readonly shutdownTimeoutMs: number;
  readonly retentionDays: number;
  /** 0: never. */
  readonly jobForgetDays: number;
  readonly migrate: boolean;
  readonly allowUnkillable: boolean;
}

export interface NsqConfig {
  /** host:port; at least one. Api processes publish to them. */
  readonly nsqdTcpAddresses: readonly string[];
  /** host:port or URLs; may be empty, then consumers connect to the nsqds directly. */
  readonly lookupdHttpAddresses: readonly string[];
  readonly topic: string;
  readonly channel: string;
}

export interface LoadOptions {
  /** Default: the environment of this process. */
  readonly env?: Env;
  /** `--role`, unchecked; wins over ROLE. */
  readonly role?: string | undefined;
  /** `--watch`. */
  readonly watchJobs?: boolean;
  /** Where `.env` is and from where relative paths start; default: the working directory. */
  readonly cwd?: string;
  /** Hears one line per variable that looks like a misspelt setting. */
  readonly warn?: (line: string) => void;
}

/**
 * Reads and checks every setting. Throws AppError `configuration` with one line per problem (and the same as
 * `details.errors`). The returned object is deeply frozen plain data: it can be sent to another process.
 */
export function loadConfig(options: LoadOptions = {}): Config {
  const cwd = options.cwd ?? process.cwd();
  const fromFile = readEnvFile(resolve(cwd, ".env"));
  const env = mergeEnv(fromFile, options.env ?? process.env, options.role);
  for (const line of unknownNameWarnings(Object.keys(env))) options.warn?.(line);
  const { values, problems } = readValues(env, (path) => readSecretFile(resolve(cwd, path)));
  const paths = pathsOf(values, cwd);
  const all = [...problems, ...shapeProblems(values), ...jobsDirProblems(values, paths.jobsDir)];
  const shape = shapeOf(values);
  if (all.length > 0 || shape === undefined) throw configurationError(all);
  return deepFreeze(
    buildConfig(values as SettingValues, {
      ...paths,
      shape,
      isZoneAssumed: isZoneAssumed(env),
      watchJobs: options.watchJobs ?? false,
    }),
  );
}

/** All settings with their rules and defaults, as the text of `--help`. */
export function describeSettings(): string {
  return settingsHelp();
}

/**
 * Loads the module by which a test acts at failpoints (`core/failpoints`), where FAILPOINT_MODULE names one. For the
 * root of each process and consumer thread, before anything else.
 */
export async function loadFailpointModule(env: Env = process.env): Promise<void> {
  const path = env["FAILPOINT_MODULE"];
  if (path) await import(path);
}

/** The environment without any of our settings: what a process that loads job code is started with. */
export function scrubbedEnv(env: Env = process.env): Record<string, string> {
  const ours = new Set(KNOWN_NAMES);
  return Object.fromEntries(Object.entries(definedOf(env)).filter(([name]) => !ours.has(name)));
}

function definedOf(env: Env): Record<string, string> {
  const entries = Object.entries(env).filter((entry): entry is [string, string] => {
    return entry[1] !== undefined;
  });
  return Object.fromEntries(entries);
}

/** The real environment wins, and a secret in it also wins over the same secret's file in `.env`. */
function mergeEnv(fromFile: Env, fromProcess: Env, role: string | undefined): Env {
  const real = definedOf(fromProcess);
  const isBeaten = (name: string) => `${name}_FILE` in real || name.replace(/_FILE$/, "") in real;
  const rest = Object.entries(fromFile).filter(([name]) => !isBeaten(name));
  return { ...Object.fromEntries(rest), ...real, ...(role === undefined ? {} : { ROLE: role }) };
}

function readEnvFile(path: string): Env {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return {};
  const file = readSecretFile(path);
  if ("text" in file) return parseEnv(file.text);
  throw configurationError([{ name: path, message: file.why }]);
}

function readSecretFile(path: string): SecretFile {
  try {
    return { text: readFileSync(path, "utf8") };
  } catch (error) {
    return { why: `cannot be read: ${messageOf(error)}` };
  }
}

interface Paths {
  readonly dataDir: string;
  readonly jobsDir: string;
  readonly database: Config["database"];
}

function pathsOf(values: Partial<SettingValues>, cwd: string): Paths {
  const dataDir = resolve(cwd, values.DATA_DIR ?? ".data");
  const ownJobs = fileURLToPath(new URL("../jobs", import.meta.url));
  const given = values.DATABASE_URL ?? { kind: "sqlite", path: resolve(dataDir, "serendipity.db") };
  return {
    dataDir,
    jobsDir: typeof values.JOBS_DIR === "string" ? resolve(cwd, values.JOBS_DIR) : ownJobs,
    database: given.kind === "sqlite" ? { kind: "sqlite", path: resolve(cwd, given.path) } : given,
  };
}

function jobsDirProblems(values: Partial<SettingValues>, jobsDir: string): Problem[] {
  if (values.ROLE === "api" || values.JOBS_DIR === undefined) return [];
  if (statSync(jobsDir, { throwIfNoEntry: false })?.isDirectory() === true) return [];
  return [{ name: "JOBS_DIR", value: jobsDir, message: "must be a folder that exists" }];
}

function configurationError(problems: readonly Problem[]): AppError {
  const lines = problems.map(problemLine);
  const count = lines.length === 1 ? "1 problem" : `${lines.length} problems`;
  const errors = problems.map(({ name, message }) => ({ field: name, message }));
  return new AppError("configuration", `${count} in the configuration:\n  ${lines.join("\n  ")}`, {
    errors,
  });
}

/** A machine on UTC says nothing of where its users are; any other zone was chosen by somebody. */
function isZoneAssumed(env: Env): boolean {
  const isSet = (env["APP_TIMEZONE"] ?? "").trim() !== "";
  return !isSet && /^(Etc\/)?(UTC|GMT|UCT|Zulu)$/.test(zoneOfProcess());
}

function zoneOfProcess(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

type Derived = Paths & Pick<Config, "shape" | "isZoneAssumed" | "watchJobs">;

function buildConfig(values: SettingValues, derived: Derived): Config {
  return {
    ...derived,
    role: values.ROLE,
    host: values.HOST,
    port: values.PORT,
    redisUrl: values.REDIS_URL,
    nsq: nsqOf(values),
    executorSlots: values.EXECUTOR_SLOTS,
    applicationSlotShare: values.APPLICATION_SLOT_SHARE,
    callbackConcurrency: values.CALLBACK_CONCURRENCY,
    callbackAllow: values.CALLBACK_ALLOW,
    callbackPorts: values.CALLBACK_PORTS ?? [],
    leaseMs: values.LEASE_MS,
    executorDrainMs: values.EXECUTOR_DRAIN_MS,
    executorRssMb: values.EXECUTOR_RSS_MB,
    adminToken: values.ADMIN_TOKEN,
    secretKey: values.SECRET_KEY,
    timezone: values.APP_TIMEZONE,
    signatureTtlS: values.SIGNATURE_TTL_S,
    legacyPayloadUntil: values.ALLOW_LEGACY_PAYLOAD,
    logLevel: values.LOG_LEVEL,
    maxBodyBytes: values.MAX_BODY_BYTES,
    maxBodiesMb: values.MAX_BODIES_MB,
    createDeadlineMs: values.CREATE_DEADLINE_MS,
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS,
    retentionDays: values.RETENTION_DAYS,
    jobForgetDays: values.JOB_FORGET_DAYS,
    migrate: values.MIGRATE,
    allowUnkillable: values.ALLOW_UNKILLABLE,
  };
}

function nsqOf(values: SettingValues): NsqConfig | null {
  if (values.NSQD_TCP_ADDRESSES === null) return null;
  return {
    nsqdTcpAddresses: values.NSQD_TCP_ADDRESSES,
    lookupdHttpAddresses: values.NSQLOOKUPD_HTTP_ADDRESSES ?? [],
    topic: values.NSQ_TOPIC,
    channel: values.NSQ_CHANNEL,
  };
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null) deepFreeze(part);
  }
  return Object.freeze(value);
}
