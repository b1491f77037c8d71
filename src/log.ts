// Makes the logger on pino: one JSON line per event, or readable lines on a terminal.
import { isatty } from "node:tty";
import {
  type DestinationStream,
  destination,
  type Logger as PinoLogger,
  pino,
  stdTimeFunctions,
} from "pino";
import { build as buildPretty } from "pino-pretty";
import type { LogFields, Logger } from "./core/logger.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** A logger that can make others whose lines all carry some fields. */
export interface RootLogger extends Logger {
  /** @example logger.child({ service_id: serviceId }) */
  child(fields: LogFields): RootLogger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Where lines go; default: standard output, readable when it is a terminal. */
  readonly stream?: DestinationStream;
}

// A second line of defence: nobody is supposed to log these (LogFields says so).
const neverShown = [
  "content",
  "params",
  "headers",
  "authorization",
  "secret",
  "secretKey",
  "signature",
];

/** Lines are written synchronously: what was logged before a crash is not lost with it. */
export function createLogger({ level, stream = standardOutput() }: LoggerOptions): RootLogger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: errorFields },
    redact: { paths: neverShown, censor: "***" },
  };
  return wrap(pino(options, stream));
}

function standardOutput(): DestinationStream {
  // Asked of the descriptor: in a thread `process.stdout` is a stream to the main thread and knows no terminal.
  if (!isatty(1)) return destination({ fd: 1, sync: true });
  return buildPretty({
    sync: true,
    colorize: true,
    translateTime: "HH:MM:ss.l",
    singleLine: true,
    destination: 1,
  });
}

function errorFields(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { name, message, stack, cause } = thrown;
  const code = "code" in thrown ? thrown.code : undefined;
  return {
    name,
    message,
    code,
    stack,
    ...(cause === undefined ? {} : { cause: errorFields(cause) }),
  };
}

function wrap(logger: PinoLogger): RootLogger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}
