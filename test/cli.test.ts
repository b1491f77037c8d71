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
      const line = { kind: "run", command, role: undefined, watch: false } as const;
      expect(readCommandLine([command])).toEqual(line);
    }
    expect(readCommandLine(["start", "--watch"])).toMatchObject({ watch: true });
    expect(refusal(["check", "--watch"])).toContain("--watch belongs to start");
    expect(readCommandLine(["start", "--role", "api"])).toMatchObject({ role: "api" });
    expect(readCommandLine(["start", "--role=executor"])).toMatchObject({ role: "executor" });
  });

  test("takes what a restored copy needs with migrate alone, with a margin that is a number", () => {
    const margin = 10_000_000;
    expect(readCommandLine(["migrate", "--after-restore"])).toMatchObject({ margin });
    const chosen = ["migrate", "--after-restore", "--margin", "5"];
    expect(readCommandLine(chosen)).toMatchObject({ command: "migrate", margin: 5 });
    expect(refusal(["start", "--after-restore"])).toContain("--after-restore belongs to migrate");
    expect(refusal(["migrate", "--margin", "5"])).toContain("--margin to --after-restore");
    for (const wrong of ["0", "1.5", "-1", "many", "1000000000001"]) {
      const words = ["migrate", "--after-restore", `--margin=${wrong}`];
      expect(refusal(words)).toContain("--margin is a whole number from 1 to 1000000000000");
    }
  });

  test("shows help without a command, and of each command", () => {
    expect(readCommandLine([])).toEqual({ kind: "help", command: null });
    expect(readCommandLine(["check", "--help"])).toEqual({ kind: "help", command: "check" });
    expect(readCommandLine(["migrate", "-h"])).toEqual({ kind: "help", command: "migrate" });
    expect(readCommandLine(["start", "--version"])).toEqual({ kind: "version" });
  });

  test("names the nearest command", () => {
    expect(refusal(["chek"])).toContain('no command "chek"; did you mean "check"?');
    expect(refusal(["xyzzy"])).toContain('no command "xyzzy"; there are start, migrate, check');
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
