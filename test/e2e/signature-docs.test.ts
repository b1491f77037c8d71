// Runs the worked requests of docs/signature.md as a reader would, and checks its table of values.

import { expect } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bodyBoundPayload, readyMadePayload, sign } from "../../src/core/signature.ts";
import { unauthorised } from "../../src/use-cases/authenticate.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { patienceMs } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";
import { whereThere } from "../support/where-there.ts";

const DOCS = readFileSync(new URL("../../docs/signature.md", import.meta.url), "utf8");

/** The programs each script needs; the first one runs it. */
const scripts = [
  { title: "curl and openssl", language: "sh", needs: ["sh", "curl", "openssl"], file: "task.sh" },
  { title: "PHP", language: "php", needs: ["php"], file: "task.php" },
  { title: "Node", language: "js", needs: ["node"], file: "task.mjs" },
  { title: "Python", language: "python", needs: ["python3"], file: "task.py" },
] as const;

type Script = (typeof scripts)[number];

function sourceOf({ title, language }: Pick<Script, "title" | "language">): string {
  const [, ofTitle = ""] = DOCS.split(`### ${title}\n`);
  const [, block = ""] = ofTitle.split(`\`\`\`${language}\n`);
  const [source = ""] = block.split("\n```");
  if (source === "") throw new Error(`docs/signature.md has no script for ${title}`);
  return `${source}\n`;
}

describe("the table to check one's own code", () => {
  const secret = /secret `([^`]+)`/.exec(DOCS)?.[1] ?? "";
  const timestamps = /timestamps `(\d+)`/.exec(DOCS)?.[1] ?? "";
  const nonce = /nonce `(\w+)`:/.exec(DOCS)?.[1] ?? "";
  const rows = DOCS.matchAll(/^\| (.*) \| `([0-9a-f]+)` \| `([\w=]+)` \|$/gm);
  const vectors = [...rows].map(([, request = "", payload = "", signature = ""]) => {
    const [first = "", second = "", body = ""] = [...request.matchAll(/`([^`]+)`/g)].map(
      (it) => it[1],
    );
    return { request, first, second, body, payload, signature };
  });

  test("has three rows", () => expect(vectors).toHaveLength(3));

  test.each(vectors)("$request", ({ request, first, second, body, payload, signature }) => {
    const bytes = new TextEncoder().encode(body);
    const made = request.startsWith("ready-made")
      ? readyMadePayload(first)
      : bodyBoundPayload({ method: first, target: second, body: bytes });
    expect(made).toBe(payload);
    expect(sign(secret, { timestamps, nonce, payload })).toBe(signature);
  });
});

describe("the worked requests", () => {
  let program: Program;
  let keys: { appKey: string; secretKey: string };

  beforeAll(async () => {
    program = await startProgram();
    const answer = await fetch(`${program.url}/application/create`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      // Ready-made headers are refused: what is accepted is body-bound.
      body: JSON.stringify({
        appName: "docs",
        linkUrl: "http://127.0.0.1:1024/",
        requireBodySignature: true,
      }),
    });
    ({ data: keys } = (await answer.json()) as { data: typeof keys });
  });
  afterAll(() => program.stop());

  function run(script: Script, secretKey = keys.secretKey): unknown[] {
    const path = join(program.folder, script.file);
    writeFileSync(path, sourceOf(script));
    const env = {
      PATH: process.env["PATH"],
      API_URL: program.url,
      APP_KEY: keys.appKey,
      APP_SECRET: secretKey,
      TASK_NO: `by ${script.title}`.replaceAll(" ", "-"),
    };
    const ran = spawnSync(script.needs[0], [path], {
      env,
      encoding: "utf8",
      timeout: patienceMs(),
    });
    expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: "" });
    return ran.stdout
      .trim()
      .split(/\n+/)
      .map((line): unknown => JSON.parse(line));
  }

  for (const script of scripts) {
    const testScript = whereThere(test, ...script.needs);
    testScript(`with ${script.title} create a task and read it back`, () => {
      const [created, detail] = run(script);
      expect(created).toMatchObject({
        code: 0,
        msg: "ok!",
        data: { taskId: expect.any(Number) },
      });
      const { data } = created as { data: { taskId: number } };
      expect(detail).toMatchObject({ code: 0, data: { id: data.taskId, name: "倒计时" } });
    });

    testScript(`with ${script.title} and a wrong secret are refused`, () => {
      const refused = { code: 1, msg: unauthorised().message, data: [] };
      expect(run(script, `${keys.secretKey}x`)).toEqual([refused, refused]);
    });
  }
});
