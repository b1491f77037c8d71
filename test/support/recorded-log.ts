// A logger that keeps its lines, so that a test can see what an operator would.
import type { LogFields, Logger } from "../../src/core/logger.ts";

export interface LogLine {
  readonly level: keyof Logger;
  readonly fields: LogFields;
  readonly message: string;
}

export interface RecordedLog extends Logger {
  /** Growing; a test may empty it. */
  readonly lines: LogLine[];
}

export function createRecordedLog(): RecordedLog {
  const lines: LogLine[] = [];
  const recorder =
    (level: keyof Logger) =>
    (fields: LogFields, message: string): void => {
      lines.push({ level, fields, message });
    };
  return {
    lines,
    debug: recorder("debug"),
    info: recorder("info"),
    warn: recorder("warn"),
    error: recorder("error"),
  };
}
