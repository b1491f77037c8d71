// Turns the texts of the environment into checked values, or into one problem per variable.
import { brokenRule, type Problem } from "./problems.ts";
import {
  fileNameOf,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
  type SettingValues,
} from "./settings.ts";

/** The variables of a process. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What reading a secret's file gave: its text, or why there is none. */
export type SecretFile = { readonly text: string } | { readonly why: string };

/** Values that keep their rules (a broken one is missing), and the problems of the others. */
export interface Reading {
  readonly values: Partial<SettingValues>;
  readonly problems: readonly Problem[];
}

type Text = { readonly text: string | undefined } | { readonly problem: Problem };

/** Reads every setting once; an empty variable counts as unset. */
export function readValues(env: Env, readSecretFile: (path: string) => SecretFile): Reading {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) {
    const found = SETTINGS[name].isSecret
      ? secretText(name, env, readSecretFile)
      : plainText(name, env);
    if ("problem" in found) {
      problems.push(found.problem);
      continue;
    }
    const text = found.text ?? SETTINGS[name].fallback;
    const value = text === null ? null : SETTINGS[name].rule.parse(text);
    if (value !== undefined) values[name] = value;
    else problems.push(brokenRule(name, text ?? ""));
  }
  return { values, problems };
}

function plainText(name: SettingName, env: Env): Text {
  return { text: env[name]?.trim() || undefined };
}

function secretText(
  name: SettingName,
  env: Env,
  readSecretFile: (path: string) => SecretFile,
): Text {
  const fileName = fileNameOf(name);
  const text = env[name] || undefined;
  const path = env[fileName] || undefined;
  if (path === undefined) return { text };
  if (text !== undefined) {
    const message = `${name} is set as well; keep one of the two`;
    return { problem: { name: fileName, value: path, message } };
  }
  const file = readSecretFile(path);
  if ("why" in file) return { problem: { name: fileName, value: path, message: file.why } };
  const secret = file.text.replace(/\r?\n$/, "");
  if (secret !== "") return { text: secret };
  return { problem: { name: fileName, value: path, message: "the file is empty" } };
}
