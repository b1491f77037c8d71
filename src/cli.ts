// The command line: what may be said, and the help that says so.
import { parseArgs } from "node:util";
import { describeSettings } from "./config/config.ts";
import { AppError, messageOf } from "./core/errors.ts";
import { nearestNames } from "./core/nearest-names.ts";

export const COMMANDS = ["start", "migrate", "check"] as const;
export type Command = (typeof COMMANDS)[number];

export type CommandLine =
  | {
      readonly kind: "run";
      readonly command: Command;
      readonly role: string | undefined;
      /** Of `start`. */
      readonly watch: boolean;
      /** Of `migrate`: how far the ids are to be lifted; absent: not at all. */
      readonly margin?: number;
    }
  | { readonly kind: "help"; readonly command: Command | null }
  | { readonly kind: "version" };

const SUMMARIES: Readonly<Record<Command, string>> = {
  start:
    "runs the platform: the API, an executor, or both (--role all|api|executor, default ROLE or all); with --watch, for writing jobs, it reads changed job files again",
  migrate:
    "brings the database's schema up to date, then ends; after an older copy was restored: --after-restore [--margin 10000000]",
  check:
    "checks the settings and the job files, changes nothing, then ends (exit code 78 when something is wrong)",
};

/** Throws AppError `configuration` for what cannot be understood, with the way out. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const { values, positionals } = parse(argv);
  if (values.version) return { kind: "version" };
  const [name, ...rest] = positionals;
  if (name === undefined) return { kind: "help", command: null };
  const command = COMMANDS.find((known) => known === name);
  if (command === undefined) {
    throw usage(unknownCommand(name));
  }
  if (rest.length > 0)
    throw usage(`"${command}" takes no further words, but got "${rest.join(" ")}"`);
  if (values.help) return { kind: "help", command };
  if (values.watch && command !== "start") throw usage("--watch belongs to start");
  const line = { kind: "run", command, role: values.role, watch: values.watch } as const;
  if (!values["after-restore"] && values.margin === undefined) return line;
  if (command !== "migrate" || !values["after-restore"])
    throw usage("--after-restore belongs to migrate, and --margin to --after-restore");
  return { ...line, margin: readMargin(values.margin) };
}

function unknownCommand(name: string): string {
  const [likely] = nearestNames(name, COMMANDS).likely;
  const wayOut =
    likely === undefined ? `there are ${COMMANDS.join(", ")}` : `did you mean "${likely}"?`;
  return `no command "${name}"; ${wayOut}`;
}

/** More tasks than most installations create between two backups; small enough for ids in 32 bits to last. */
const DEFAULT_MARGIN = 10_000_000;
const LARGEST_MARGIN = 1_000_000_000_000;

function readMargin(text: string | undefined): number {
  if (text === undefined) return DEFAULT_MARGIN;
  const margin = /^\d{1,13}$/.test(text) ? Number(text) : 0;
  if (margin >= 1 && margin <= LARGEST_MARGIN) return margin;
  throw usage(`--margin is a whole number from 1 to ${LARGEST_MARGIN}, not "${text}"`);
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        version: { type: "boolean", short: "v", default: false },
        role: { type: "string" },
        watch: { type: "boolean", default: false },
        "after-restore": { type: "boolean", default: false },
        margin: { type: "string" },
      },
    });
  } catch (thrown) {
    throw usage(messageOf(thrown));
  }
}

function usage(problem: string): AppError {
  return new AppError("configuration", `${problem}\nsee: src/main.ts --help`);
}

/** The text of `--help`, of one command or of all. */
export function helpText(command: Command | null): string {
  const shown = command === null ? COMMANDS : [command];
  const width = Math.max(...COMMANDS.map((name) => name.length));
  return [
    "Serendipity Job: a self-hosted task platform.",
    "",
    `usage: src/main.ts ${command ?? "<command>"} [--help] [--version]${command === null || command === "start" ? " [--role all|api|executor] [--watch]" : ""}`,
    "",
    ...shown.map((name) => `  ${name.padEnd(width)}  ${SUMMARIES[name]}`),
    "",
    "Settings (environment or .env in the working directory):",
    describeSettings(),
  ].join("\n");
}
