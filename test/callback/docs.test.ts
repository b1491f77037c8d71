// Runs the receivers of docs/callbacks.md as a reader would, and delivers to them.
import { afterAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { findBinary } from "../support/find-binary.ts";
import { findFreePort } from "../support/free-port.ts";
import { createTestLane, SECRET, taskFor } from "./cases.ts";

const docs = readFileSync(new URL("../../docs/callbacks.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "callback-docs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const receivers = [
  {
    title: "PHP",
    language: "php",
    command: (file: string, port: number) => ["php", "-S", `127.0.0.1:${port}`, file],
  },
  { title: "Node", language: "js", command: (file: string) => ["node", file] },
] as const;

function sourceOf(language: string): string {
  const [, block = ""] = docs.split(`\`\`\`${language}\n`);
  const [source = ""] = block.split("\n```");
  if (source === "") throw new Error(`docs/callbacks.md has no receiver in ${language}`);
  return source;
}

async function startReceiver({ language, command }: (typeof receivers)[number]) {
  const file = join(folder, `receiver.${language === "js" ? "mjs" : language}`);
  writeFileSync(file, sourceOf(language));
  const port = await findFreePort();
  const [program = "", ...args] = command(file, port);
  const env = { PATH: process.env["PATH"], APP_SECRET: SECRET, PORT: String(port) };
  const child = spawn(findBinary(program) ?? program, args, { env, stdio: "ignore" });
  await eventually(() => canConnect(port), 10_000);
  return { child, port };
}

function canConnect(port: number): Promise<true | undefined> {
  const { promise, resolve } = Promise.withResolvers<true | undefined>();
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(undefined));
  return promise.finally(() => socket.destroy());
}

async function stop(child: ChildProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.kill("SIGKILL");
  await promise;
}

for (const receiver of receivers) {
  const isThere = findBinary(receiver.language === "js" ? "node" : receiver.language) !== undefined;
  const suite = isThere || process.env["REQUIRE_SERVICES"] === "1" ? describe : describe.skip;
  suite(`the documented receiver in ${receiver.title}`, () => {
    test("takes a genuine delivery, refuses one with another secret or an old timestamp", async () => {
      const { child, port } = await startReceiver(receiver);
      const url = `http://127.0.0.1:${port}/`;
      const deliver = (changes: Parameters<typeof createTestLane>[0]) =>
        createTestLane(changes).start(taskFor(url)).ended;
      const genuine = await deliver({ nowMs: Date.now });
      const foreign = await deliver({ nowMs: Date.now, secretBox: { open: () => "another" } });
      const stale = await deliver({ nowMs: () => Date.now() - 310_000 });
      await stop(child);
      expect(genuine).toEqual({ outcome: "succeeded" });
      for (const { error } of [foreign, stale]) {
        expect(error).toMatchObject({ reason: "status_not_2xx" });
        expect(error?.message).toEndWith("answered 401");
      }
    });
  });
}
