// What may be said on the command line, and what is answered to anything else.

import { describe, expect, test } from "bun:test";
import { helpText, readCommandLine } from "../src/cli.ts";

function refusal(argv: readonly string[]): string {
  try {
    readCommandLine(argv);
  } catch (thrown) {
    return String(thrown);
  }
  return "accepted";
}

describe("the command line", () => {
  test("takes each command, and a role with start", () => {
    for (const command of ["start", "migrate", "check"] as const) {
      expect(readCommandLine([command])).toEqual({ kind: "run", command, role: undefined });
    }
    expect(readCommandLine(["start", "--role", "api"])).toMatchObject({ role: "api" });
    expect(readCommandLine(["start", "--role=executor"])).toMatchObject({ role: "executor" });
  });

  test("shows help without a command, and of each command", () => {
    expect(readCommandLine([])).toEqual({ kind: "help", command: null });
    expect(readCommandLine(["check", "--help"])).toEqual({ kind: "help", command: "check" });
    expect(readCommandLine(["migrate", "-h"])).toEqual({ kind: "help", command: "migrate" });
    expect(readCommandLine(["start", "--version"])).toEqual({ kind: "version" });
  });

  test("names the nearest command", () => {
    expect(refusal(["chek"])).toContain('no command "chek"; did you mean "check"?');
  });

  test("refuses options and words it does not know", () => {
    expect(refusal(["start", "--roll", "api"])).toContain("--roll");
    expect(refusal(["start", "now"])).toContain('"start" takes no further words, but got "now"');
  });

  test("help lists every command and the settings", () => {
    const text = helpText(null);
    for (const word of ["start", "migrate", "check", "DATABASE_URL", "EXECUTOR_SLOTS"]) {
      expect(text).toContain(word);
    }
    expect(helpText("check")).not.toContain("brings the database's schema");
  });
});
