// The one schema of the settings: every name with its rule, its default and its line of help.
import { availableParallelism } from "node:os";
import {
  addressList,
  allowList,
  anyPath,
  bearerText,
  fraction,
  hostToListenOn,
  httpAddressList,
  longText,
  nearDay,
  nsqName,
  oneOfTexts,
  onOff,
  portList,
  type Rule,
  redisUrl,
  sqliteOrMysqlUrl,
  timezone,
  wholeNumber,
} from "./rules.ts";

/** A setting; its default is written as an operator would write it. */
export interface Setting<T> {
  readonly rule: Rule<Exclude<T, null>>;
  /** Null: unset, and the value is null then. */
  readonly fallback: string | null;
  /** What happens when it is unset, for the help. */
  readonly unset: string;
  /** Never shown, and may come from a file named by `<NAME>_FILE`. */
  readonly isSecret: boolean;
  readonly help: string;
}

type Plain<T extends {}> = { rule: Rule<T>; help: string; isSecret?: boolean };

function withDefault<T extends {}>(fallback: string, setting: Plain<T>): Setting<T> {
  return { isSecret: false, ...setting, fallback, unset: fallback };
}

function optional<T extends {}>(unset: string, setting: Plain<T>): Setting<T | null> {
  return { isSecret: false, ...setting, fallback: null, unset };
}

const defaultSlots = String(Math.max(4, 2 * availableParallelism()));
const processZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

// biome-ignore format: a table is read by its columns
export const SETTINGS = {
  HOST: withDefault("127.0.0.1", { rule: hostToListenOn(), help: "address the API listens on" }),
  PORT: withDefault("9502", { rule: wholeNumber(0, 65_535), help: "port of the API; 0 takes a free one" }),
  ROLE: withDefault("all", { rule: oneOfTexts("all", "api", "executor"), help: "what this process serves" }),
  DATA_DIR: withDefault(".data", { rule: anyPath(), help: "folder of the database, the key file and the lock" }),
  DATABASE_URL: optional("sqlite:<DATA_DIR>/serendipity.db", { rule: sqliteOrMysqlUrl(), isSecret: true, help: "the store: SQLite or MySQL/MariaDB" }),
  REDIS_URL: optional("no Redis", { rule: redisUrl(), isSecret: true, help: "the bus between processes" }),
  NSQD_TCP_ADDRESSES: optional("no NSQ", { rule: addressList(), help: "nsqds to ring, host:port,…" }),
  NSQLOOKUPD_HTTP_ADDRESSES: optional("ask the nsqds", { rule: httpAddressList(), help: "nsqlookupds that know the nsqds" }),
  NSQ_TOPIC: withDefault("serendipity", { rule: nsqName(), help: "start of the topics' names; the lane follows" }),
  NSQ_CHANNEL: withDefault("executor", { rule: nsqName(), help: "channel that all executors share" }),
  JOBS_DIR: optional("src/jobs of the program", { rule: anyPath(), help: "folder with one file per job" }),
  EXECUTOR_SLOTS: withDefault(defaultSlots, { rule: wholeNumber(1, 1_024), help: "jobs at once" }),
  APPLICATION_SLOT_SHARE: withDefault("0.75", { rule: fraction(), help: "part of the slots for one application's jobs while others create tasks; 1: all" }),
  CALLBACK_CONCURRENCY: withDefault("256", { rule: wholeNumber(1, 10_000), help: "callbacks at once" }),
  CALLBACK_ALLOW: optional("public addresses only; embedded on a loopback HOST also loopback", { rule: allowList(), help: "private targets callbacks may reach" }),
  CALLBACK_PORTS: optional("80, 443 and 1024 or more", { rule: portList(), help: "further ports callbacks may use" }),
  LEASE_MS: withDefault("15000", { rule: wholeNumber(2_000, 600_000), help: "how long a silent executor keeps its tasks" }),
  EXECUTOR_DRAIN_MS: withDefault("0", { rule: wholeNumber(0, 3_600_000), help: "time for the other attempts before an executor is killed" }),
  EXECUTOR_RSS_MB: optional("no limit", { rule: wholeNumber(128, 1_048_576), help: "memory above which an executor ends the attempt to blame" }),
  ADMIN_TOKEN: optional("only local calls may create applications", { rule: bearerText(), isSecret: true, help: "bearer that may create applications" }),
  SECRET_KEY: optional("a key file in DATA_DIR; required with MySQL", { rule: longText(32), isSecret: true, help: "encrypts the applications' secrets" }),
  APP_TIMEZONE: withDefault(processZone, { rule: timezone(), help: "zone of times without one" }),
  SIGNATURE_TTL_S: withDefault("86400", { rule: wholeNumber(60, 31_536_000), help: "life of ready-made signatures" }),
  LOG_LEVEL: withDefault("info", { rule: oneOfTexts("debug", "info", "warn", "error", "silent"), help: "least important lines to log" }),
  MAX_BODY_BYTES: withDefault("1048576", { rule: wholeNumber(1_024, 16_777_216), help: "largest request body" }),
  MAX_BODIES_MB: withDefault("64", { rule: wholeNumber(1, 65_536), help: "memory for request bodies under way; above it 503" }),
  CREATE_DEADLINE_MS: withDefault("5000", { rule: wholeNumber(100, 60_000), help: "how long a create may wait for the database; then 503" }),
  SHUTDOWN_TIMEOUT_MS: withDefault("8000", { rule: wholeNumber(0, 3_600_000), help: "time for running attempts at SIGTERM" }),
  RETENTION_DAYS: withDefault("7", { rule: wholeNumber(1, 3_650), help: "days finished tasks are kept; failed ones 30 at least" }),
  JOB_FORGET_DAYS: withDefault("0", { rule: wholeNumber(0, 3_650), help: "days after which the catalogue forgets a job that no executor has; 0: never" }),
  MIGRATE: withDefault("on", { rule: onOff(), help: "off: start does not migrate" }),
  ALLOW_LEGACY_PAYLOAD: optional("off", { rule: nearDay(), help: "day until which ready-made headers never expire (UTC)" }),
  ALLOW_UNKILLABLE: withDefault("off", { rule: onOff(), help: "let jobs run on threads that cannot be killed (Deno)" }),
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

type ValueOf<S> = S extends Setting<infer T> ? T : never;
/** The value of every setting. */
export type SettingValues = { readonly [K in SettingName]: ValueOf<(typeof SETTINGS)[K]> };

/** Every name the environment may use: the settings, and `<NAME>_FILE` of the secrets. */
export const KNOWN_NAMES: readonly string[] = SETTING_NAMES.flatMap((name) =>
  SETTINGS[name].isSecret ? [name, fileNameOf(name)] : [name],
);

/** The variable that names a file with the secret in it. */
export function fileNameOf(name: SettingName): string {
  return `${name}_FILE`;
}

/** All settings as text for `--help`: two lines each. */
export function settingsHelp(): string {
  return SETTING_NAMES.map((name) => {
    const { rule, unset, isSecret, help } = SETTINGS[name];
    const file = isSecret ? `; or ${fileNameOf(name)}` : "";
    return `  ${name.padEnd(26)} ${help}${file}\n${" ".repeat(29)}${rule.text} [${unset}]`;
  }).join("\n");
}
