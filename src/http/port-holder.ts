// Finds out, on Linux, which process listens on a port, so that "in use" can be said with a name.
import { readdir, readFile, readlink } from "node:fs/promises";

const LISTENING = "0A";

/** ` by pid 4711 (bun src/main.ts)`, or nothing where that cannot be known. */
export async function describeHolder(port: number): Promise<string> {
  const sockets = await listeningSockets(port);
  if (sockets.size === 0) return "";
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (await holdsAny(pid, sockets)) return ` by pid ${pid}${await commandOf(pid)}`;
  }
  return "";
}

/** The links under /proc/<pid>/fd that mean one of the port's sockets. */
async function listeningSockets(port: number): Promise<Set<string>> {
  const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map(readOrNothing));
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = tables.flatMap((table) => table.split("\n")).map((row) => row.trim().split(/\s+/));
  const held = rows.filter(([, local, , state]) => local?.endsWith(suffix) && state === LISTENING);
  return new Set(held.map((columns) => `socket:[${columns[9] ?? ""}]`));
}

/** False as well for the processes of others, which we may not look into. */
async function holdsAny(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const links = await Promise.all(
    names.map((name) => readlink(`${folder}/${name}`).catch(() => "")),
  );
  return links.some((link) => sockets.has(link));
}

/** The program and its first argument; more of a command line may hold secrets. */
async function commandOf(pid: string): Promise<string> {
  const words = (await readOrNothing(`/proc/${pid}/cmdline`)).split("\0", 2);
  const command = words.join(" ").trim();
  return command === "" ? "" : ` (${command})`;
}

async function readOrNothing(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
