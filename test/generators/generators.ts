// The generators of docs/clients.md: how what they make is compiled, run and counted.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findBinary } from "../support/find-binary.ts";
import { runInFolder } from "./run-in-folder.ts";

const DOCS = readFileSync(new URL("../../docs/clients.md", import.meta.url), "utf8");
/** The address that the commands of the document name. */
const DOCUMENTED_URL = "http://127.0.0.1:9502";

/** One section of docs/clients.md. */
export interface Generator {
  readonly name: string;
  readonly heading: string;
  readonly language: "ts" | "python" | "go";
  /** The programs it needs, with what to install for them. */
  readonly needs: Readonly<Record<string, string>>;
  /** What a project of that language has before its first dependency. */
  readonly prepare: string;
  readonly file: string;
  readonly compile: string;
  readonly command: string;
  /** Where the generated code lies, and how a type begins there. */
  readonly generated: string;
  readonly type: RegExp;
}

const NODE = "Node 22 or newer with npm";

export const GENERATORS: readonly Generator[] = [
  {
    name: "openapi-typescript",
    heading: "TypeScript: openapi-typescript",
    language: "ts",
    needs: { node: NODE, npm: NODE, npx: NODE },
    prepare: `echo '{"private":true,"type":"module"}' >package.json`,
    file: "main.ts",
    compile:
      "npx tsc --noEmit --strict --noUncheckedIndexedAccess --module nodenext --target es2024 --allowImportingTsExtensions main.ts",
    command: `'${process.execPath}' --no-install main.ts`,
    generated: "schema.ts",
    type: /^export (?:type|interface) /gm,
  },
  {
    name: "openapi-python-client",
    heading: "Python: openapi-python-client",
    language: "python",
    needs: { python3: "Python 3.11 or newer with venv (Debian: python3 and python3-venv)" },
    prepare: "python3 -m venv venv",
    file: "main.py",
    // client.py is the generator's own text, the same for every document, and mypy objects to its `__exit__`.
    compile:
      "printf '[mypy]\\n[mypy-serendipity_job.client]\\nignore_errors = True\\n' >mypy.ini && pip install mypy==2.4.1 && mypy main.py",
    command: "python main.py",
    generated: "serendipity_job/models",
    type: /^class /gm,
  },
  {
    name: "oapi-codegen",
    heading: "Go: oapi-codegen",
    language: "go",
    needs: { go: "Go 1.26 or newer", curl: "curl" },
    prepare: "true",
    file: "main.go",
    compile: "go mod tidy && go vet ./... && go build -o main .",
    command: "./main",
    generated: "api",
    type: /^type /gm,
  },
];

/** A sentence for each program that this machine does not have. */
export function missingPrograms({ name, needs }: Generator): readonly string[] {
  return Object.entries(needs)
    .filter(([program]) => findBinary(program) === undefined)
    .map(([program, install]) => `${name} needs ${program}: install ${install}`);
}

export interface GeneratedClient {
  readonly version: string;
  readonly types: number;
  /** What it printed; rejects when it fails. */
  run(env: Readonly<Record<string, string>>): Promise<string>;
}

interface Making {
  readonly generator: Generator;
  readonly folder: string;
  readonly url: string;
}

/** Installs the generator, generates from the document that `url` serves, and compiles. Rejects when a step fails. */
export async function makeClient({ generator, folder, url }: Making): Promise<GeneratedClient> {
  const { prepare, compile, command, file } = generator;
  const install = blockOf(generator, "sh");
  const run = (script: string, env = {}) => runInFolder({ folder, script, env });
  await run(prepare);
  await run(install.replaceAll(DOCUMENTED_URL, url));
  writeFileSync(join(folder, file), blockOf(generator, generator.language));
  await run(compile);
  const version = new RegExp(`${generator.name}(?:@v?|==)([\\d.]+)`).exec(install)?.[1] ?? "";
  const types = countTypes(join(folder, generator.generated), generator.type);
  if (version === "" || types === 0) throw new Error(`version "${version}", ${types} types`);
  return { version, types, run: (env) => run(command, env) };
}

function blockOf({ heading }: Generator, language: string): string {
  const [, ofHeading = ""] = DOCS.split(`## ${heading}\n`);
  const [section = ""] = ofHeading.split("\n## ");
  const [, block = ""] = section.split(`\`\`\`${language}\n`);
  const [text = ""] = block.split("\n```");
  if (text === "") throw new Error(`docs/clients.md has no ${language} block below ${heading}`);
  return `${text}\n`;
}

function countTypes(path: string, type: RegExp): number {
  const files = path.endsWith(".ts") ? [path] : readdirSync(path).map((name) => join(path, name));
  const texts = files.filter((name) => /\.(?:ts|py|go)$/.test(name)).map(readText);
  return texts.reduce((sum, text) => sum + (text.match(type)?.length ?? 0), 0);
}

function readText(path: string): string {
  return readFileSync(path, "utf8");
}
