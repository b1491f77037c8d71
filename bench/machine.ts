// Says on what the figures were measured: they mean little without it.
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { median } from "./report.ts";
import { emptyFolder } from "./scratch.ts";

const GIB = 1024 ** 3;
const SYNCS = 100;

export async function machineText(databaseVersion: string | undefined): Promise<string> {
  const [processor] = cpus();
  const [load = 0] = loadavg();
  return [
    `${availableParallelism()} × ${processor?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / GIB)} GiB, ${type()} ${release()}`,
    `Bun ${process.versions.bun}, elysia ${versionOf("elysia")}, SQLite ${process.versions["sqlite"] ?? "of the runtime"}, ${databaseVersion ?? "no MySQL"}`,
    `fsync of 4 KiB in the folder of the databases: median ${(await syncMicros()).toFixed(0)} µs; load average before the start ${load.toFixed(2)}`,
    "",
  ].join("\n");
}

function versionOf(name: string): string {
  const path = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

/** What one durable commit costs at least on this disk. */
async function syncMicros(): Promise<number> {
  const file = openSync(join(await emptyFolder(), "sync"), "w");
  const page = Buffer.alloc(4096, 1);
  const times = Array.from({ length: SYNCS }, () => {
    const startedAt = performance.now();
    writeSync(file, page);
    fsyncSync(file);
    return (performance.now() - startedAt) * 1000;
  });
  closeSync(file);
  return median(times);
}
