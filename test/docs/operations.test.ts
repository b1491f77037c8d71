// Keeps docs/operations.md equal to what the program says of itself: its settings, and the texts of its errors.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeSettings } from "../../src/config/config.ts";
import { SETTING_NAMES, SETTINGS, type SettingName } from "../../src/config/settings.ts";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/operations.md", root), "utf8");

/** Defaults that this machine has a part in. */
const OWN_WORDS: Partial<Record<SettingName, string>> = {
  EXECUTOR_SLOTS: "twice the cores, at least 4",
  APP_TIMEZONE: "zone of the process",
};

function settingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { help, rule, unset, isSecret } = SETTINGS[name];
    const secret = isSecret ? " (secret)" : "";
    return `| \`${name}\`${secret} | ${help} | ${rule.text} | ${OWN_WORDS[name] ?? unset} |`;
  });
  return ["| setting | what | must be | default |", "|---|---|---|---|", ...rows].join("\n");
}

function between(start: RegExp, end: string): string {
  const [, rest = ""] = page.split(start);
  return rest.slice(0, rest.indexOf(end)).trim();
}

/** The quoted text of each row, cut where a value of the moment stands. */
function quotedErrors(): string[] {
  const rows = between(/^## Troubleshooting$/m, "\0")
    .split("\n")
    .slice(2);
  return rows.map((row) => /^\| `([^`]*)`/.exec(row)?.[1] ?? `no text in: ${row}`);
}

function sourceText(): string {
  const folder = fileURLToPath(new URL("src/", root));
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const sources = names.filter((name) => name.endsWith(".ts"));
  return sources.map((name) => readFileSync(folder + name, "utf8")).join("\n");
}

/** Where values are put into the texts. */
const VALUES =
  /…|\d+|'|; |"embedded"|HOST=0\.0\.0\.0: |SECRET_KEY: |connect ECONNREFUSED|the (?:My)?SQL(?:ite)? database| by pid|secret\.key/;

/** The longest part of a text that is the same whatever the values are. */
function fixedPart(text: string): string {
  const [longest = ""] = text.split(VALUES).toSorted((a, b) => b.length - a.length);
  return longest.trim();
}

describe("docs/operations.md", () => {
  test("its table of settings is the one the program has", () => {
    expect(between(/^<!-- settings: .*-->$/m, "<!-- end of settings -->")).toBe(settingsTable());
  });

  test("every setting of --help is in it", () => {
    const names = [...describeSettings().matchAll(/^ {2}([A-Z_]+)/gm)].map(([, name]) => name);
    expect(names.length).toBe(SETTING_NAMES.length);
    expect(names.filter((name) => !page.includes(`| \`${name}\``))).toEqual([]);
  });

  test("every error it explains is one the source can say", () => {
    const source = sourceText();
    const quoted = quotedErrors();
    expect(quoted.length).toBeGreaterThan(20);
    expect(quoted.filter((text) => fixedPart(text).length < 10)).toEqual([]);
    expect(quoted.filter((text) => !source.includes(fixedPart(text)))).toEqual([]);
  });

  test("every sentence of docs/databases.md is one the source can say", () => {
    const databases = readFileSync(new URL("docs/databases.md", root), "utf8");
    const quoted = [...databases.matchAll(/`((?:the|migration|this) [^`]{30,})`/g)];
    const texts = quoted.map(([, text = ""]) => text.replace(/ is 5\.7\.44| tasks is/, "…"));
    expect(texts.length).toBe(5);
    const source = sourceText();
    expect(texts.filter((text) => !source.includes(fixedPart(text)))).toEqual([]);
  });

  test("every log message it says to watch is one the source can say", () => {
    const rows = between(/^## Alert on$/m, "\n## ");
    const messages = [...rows.matchAll(/`([a-z][a-z ]{12,})`/g)].map(([, text = ""]) => text);
    expect(messages.length).toBeGreaterThan(5);
    const source = sourceText();
    expect(messages.filter((text) => !source.includes(text))).toEqual([]);
  });

  test("it stays readable in one sitting", () => {
    expect(page.split("\n").length).toBeLessThanOrEqual(200);
  });
});
