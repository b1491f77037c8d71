// A job worker starts from one file made of its sources, and from the sources when that file is gone.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Trace } from "../../src/core/job.ts";
import {
  entryToStart,
  openEntry,
  openProcessEntry,
  processEntryToStart,
} from "../../src/job/host/entry.ts";
import type { JobHost } from "../../src/job/host/job-host.ts";
import { createJobProcess } from "../../src/job/host/job-process.ts";
import { createJobThread } from "../../src/job/host/job-thread.ts";
import { loadFile } from "../../src/job/host/load-file.ts";
import type { FromJobWorker } from "../../src/job/wire/protocol.ts";
import { openTracing } from "../../src/live/tracing.ts";
import { createRecordedLog } from "../support/recorded-log.ts";

const folder = mkdtempSync(join(tmpdir(), "entry-"));
const jobFile = new URL("../jobs/action.ts", import.meta.url).pathname;
const ORDER = {
  kind: "attempt",
  id: 1,
  attemptId: 1,
  taskId: 1,
  taskNo: "no-1",
  attempt: 1,
  maxAttempts: 1,
  deadline: Date.now() + 10_000,
  memoryMb: null,
} as const;
const log = createRecordedLog();

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("one file holds all that a job worker needs, the sdk included", async () => {
  const entry = await openEntry(folder, log);
  expect(entry).toStartWith(folder);
  const text = readFileSync(entry ?? "", "utf8");
  expect(text).toContain("serendipity-job.job");
  expect(text).not.toMatch(/from\s*"\.{1,2}\//);
  expect(await openEntry(folder, log)).toBe(entry);
  expect(await loadedFrom(entry)).toBe("loaded");
});

test("a job process starts from one file, too, and still rewrites its job's sources", async () => {
  const tracing = openTracing(join(folder, "sources"), log);
  const processEntry = await openProcessEntry(tracing.folder, log);
  expect(processEntryToStart(processEntry)).toBe(processEntry ?? "");
  expect(readFileSync(processEntry ?? "", "utf8")).not.toContain("oxc-parser");
  const entry = await openEntry(tracing.folder, log);
  const host = createJobProcess({ env: {}, entry, processEntry, tracing });
  expect(await killLoaded(host, "lean")).toMatchObject({ kind: "loaded", untraced: [] });
  expect(processEntryToStart(join(folder, "gone.js"))).toEndWith("job-process-main.ts");
});

test("its own frames are not shown to the author of a job", async () => {
  const host = createJobThread({}, { entry: await openEntry(folder, log) });
  try {
    await loadFile(host, { file: jobFile, trace: "off" });
    const ended = Promise.withResolvers<FromJobWorker>();
    const message = (said: FromJobWorker) => said.kind === "ended" && ended.resolve(said);
    host.listen({ message, death: ({ error }) => ended.reject(new Error(error.message)) });
    host.offer({ ...ORDER, params: JSON.stringify({ do: "throw", value: "broken" }) });
    const said = (await ended.promise) as Extract<FromJobWorker, { kind: "ended" }>;
    const stack = said.end.kind === "threw" ? (said.end.error.stack ?? "") : "";
    expect(stack).toContain("action.ts:");
    expect(stack).not.toContain("job-worker");
  } finally {
    await host.kill();
  }
});

test("without the file, or a folder for it, job workers start from their sources", async () => {
  const gone = join(folder, "gone.js");
  expect(entryToStart(gone)).toEndWith("job-worker.ts");
  expect(await loadedFrom(gone)).toBe("loaded");
  expect(await openEntry(null, log)).toBeNull();
});

test("a folder that cannot be written to is told, and costs only speed", async () => {
  expect(await openEntry(join(folder, "missing"), log)).toBeNull();
  expect(log.lines.map(({ message }) => message)).toEqual([
    expect.stringContaining("job workers start slowly"),
  ]);
});

async function loadedFrom(entry: string | null): Promise<string> {
  return (await killLoaded(createJobThread({}, { entry }), "off")).kind;
}

async function killLoaded(host: JobHost, trace: Trace) {
  try {
    return await loadFile(host, { file: jobFile, trace });
  } finally {
    expect(await host.kill()).toBe(true);
  }
}
