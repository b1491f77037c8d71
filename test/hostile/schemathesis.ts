// Runs schemathesis, in an environment of its own, over every operation of the document against a running program.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Target } from "./judge.ts";

const VERSION = "4.32.5";
/** What holds for any answer, to right and to wrong requests. */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
];
/** Streams stay open as long as their task runs. */
const REQUEST_LIMIT_S = 30;

/** Resolves to what is wrong; nothing: it found nothing. It prints its own report. */
export async function runSchemathesis(target: Target, seconds: number): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "schemathesis-"));
  try {
    install(folder);
    const args = [
      "run",
      `${target.url}/swagger/json`,
      `--checks=${CHECKS.join(",")}`,
      "--phases=examples,coverage,fuzzing",
      `--max-time=${Math.ceil(seconds)}`,
      `--request-timeout=${REQUEST_LIMIT_S}`,
      "--continue-on-failure",
      "--suppress-health-check=all",
      "--warnings=off",
    ];
    const code = await run(join(folder, "bin", "schemathesis"), args, environment(target, folder));
    return code === 0 ? [] : [`schemathesis ended with ${code}`];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function install(folder: string): void {
  const steps = [
    ["python3", "-m", "venv", folder],
    [join(folder, "bin", "pip"), "install", "--quiet", `schemathesis==${VERSION}`],
  ];
  for (const [program = "", ...args] of steps) {
    const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  }
}

function environment({ key, adminToken }: Target, folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PYTHONPATH: fileURLToPath(new URL(".", import.meta.url)),
    PYTHONDONTWRITEBYTECODE: "1",
    SCHEMATHESIS_HOOKS: "schemathesis_hooks",
    HYPOTHESIS_STORAGE_DIRECTORY: join(folder, "examples"),
    HOSTILE_APP_KEY: key.appKey,
    HOSTILE_SECRET: key.secret,
    HOSTILE_ADMIN_TOKEN: adminToken,
  };
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(program, args, {
    env,
    cwd: tmpdir(),
    stdio: ["ignore", "inherit", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
