// An embedded create is on disk before it is answered, as the system calls of the process show.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { makeServerFolder } from "../support/private-server.ts";
import { type Program, startProgram } from "../support/program.ts";
import { whereThere } from "../support/where-there.ts";

setDefaultTimeout(TEST_LIMIT_MS);
const CALLS = "fsync,fdatasync,pwrite64,read,recvfrom,write,writev,sendto,sendmsg";

whereThere(describe, "strace")("an embedded create", () => {
  let program: Program;
  let folder: string;

  beforeAll(async () => {
    folder = await makeServerFolder("strace");
    // -D: the program stays this process's child, and the tracer ends with it.
    const args = [
      "-D",
      "-f",
      "-y",
      "-s",
      "200",
      "-e",
      `trace=${CALLS}`,
      "-o",
      join(folder, "calls"),
    ];
    program = await startProgram({
      command: { path: "strace", args: [...args, process.execPath, "--no-install"] },
    });
  });
  afterAll(async () => {
    await program.stop();
    await rm(folder, { recursive: true });
  });

  test("is written and synced between its request and its answer", async () => {
    const client = await createClient(program.url);
    await client.createJob("countdown", { from: 1 }, { runtime: Date.now() + 3_600_000 });
    const lines = await eventually(() =>
      linesOfCreate(readFileSync(join(folder, "calls"), "utf8")),
    );
    const written = lines.findIndex((line) => /pwrite64\(\d+<.*-wal>/.test(line));
    const synced = lines.findLastIndex((line) =>
      /sync\(\d+<.*-wal>( <unfinished|\) += 0)/.test(line),
    );
    expect(written).toBeGreaterThan(-1);
    expect(synced).toBeGreaterThan(written);
  });
});

/** The system calls from the request to its answer, of the thread that took it; undefined until they are there. */
function linesOfCreate(text: string): string[] | undefined {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => /"POST \/task\/create/.test(line));
  const thread = lines[from]?.split(" ")[0];
  const own = lines.slice(Math.max(from, 0)).filter((line) => line.startsWith(`${thread} `));
  const to = own.findIndex((line) => /(write|send)[a-z]*\(.*HTTP\/1\.1 200/.test(line));
  return from < 0 || to < 0 ? undefined : own.slice(0, to);
}
