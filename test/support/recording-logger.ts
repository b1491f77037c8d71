// A logger that keeps its lines, for tests that look at what was logged.
import type { LogFields, Logger } from "../../src/core/logger.ts";

/** One line as it was logged. */
export type LoggedLine = {
  readonly level: keyof Logger;
  readonly fields: LogFields;
  readonly message: string;
};

/** The logger and, growing, its lines. */
export function createRecordingLogger(): { readonly logger: Logger; readonly lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at = (level: keyof Logger) => (fields: LogFields, message: string) => {
    lines.push({ level, fields, message });
  };
  return {
    lines,
    logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
  };
}
