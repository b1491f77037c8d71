// The logger as the rest of the code sees it; `src/log.ts` makes one on pino.

/** Fields of a log line. Never content, params, headers or secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}
