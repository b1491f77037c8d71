// An older copy of the database is put back: receivers that take each webhook-id once still take all that is new.
import { expect, setDefaultTimeout } from "bun:test";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { cp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type ApiClient, createClient } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { afterAll, beforeAll, test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { type Program, startProgram } from "../support/program.ts";

setDefaultTimeout(TEST_LIMIT_MS);

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

let program: Program;
let server: Server;
/** The task that came first under each webhook-id: later ones are taken for repeats. */
const taken = new Map<string, string>();
const repeats: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { "webhook-id": id = "", "task-id": task = "" } = request.headers;
    if (taken.has(String(id))) repeats.push(String(id));
    else taken.set(String(id), String(task));
    response.end("success");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  program = await startProgram();
});
afterAll(async () => {
  await program.stop();
  server.close();
});

async function deliver(client: ApiClient, count: number): Promise<number[]> {
  const before = taken.size + repeats.length;
  const answers = await Promise.all(
    Array.from({ length: count }, () =>
      client.post<{ taskId: number }>("/task/create", {
        taskNo: randomUUID(),
        name: "x",
        content: { order: 7 },
        timeout: 5_000,
      }),
    ),
  );
  await eventually(() => taken.size + repeats.length >= before + count || undefined);
  return answers.map(({ data }) => data.taskId);
}

function sorted(ids: readonly number[]): number[] {
  return ids.toSorted((a, b) => a - b);
}

function migrate(...words: string[]) {
  const env = { ...process.env, DATA_DIR: join(program.folder, "data") };
  const args = ["--no-install", MAIN, "migrate", ...words];
  return spawnSync(process.execPath, args, { env, encoding: "utf8" });
}

test("ids given out after the copy are not given out again, and no webhook-id is", async () => {
  const { port } = server.address() as AddressInfo;
  const client = await createClient(program.url, { linkUrl: `http://127.0.0.1:${port}/` });
  const [data, copy] = [join(program.folder, "data"), join(program.folder, "copy")];
  await deliver(client, 2);
  await program.terminate();
  await cp(data, copy, { recursive: true });
  await program.restart();
  const lost = await deliver(client, 3);

  // While it runs nothing is lifted: this start holds the folder.
  expect(migrate("--after-restore").status).toBe(78);
  await program.terminate();
  await rm(data, { recursive: true });
  await cp(copy, data, { recursive: true });

  // Without lifting: ids come again, as they do in any restored database, webhook-ids do not.
  await program.restart();
  const again = await deliver(client, 3);
  expect(sorted(again)).toEqual(sorted(lost));
  expect([taken.size, repeats]).toEqual([8, []]);
  await program.terminate();

  await rm(data, { recursive: true });
  await cp(copy, data, { recursive: true });
  const lifted = migrate("--after-restore", "--margin", "1000");
  expect(lifted.status).toBe(0);
  expect(lifted.stdout).toContain("tasks: 3 → 1003");
  expect(migrate("--after-restore", "--margin", "1000").stdout).toContain("tasks: already lifted");
  await program.restart();
  expect(sorted(await deliver(client, 3))).toEqual([1003, 1004, 1005]);
  expect([taken.size, repeats]).toEqual([11, []]);
});
