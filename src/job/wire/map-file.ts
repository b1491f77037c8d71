// Maps a file into memory, where the runtime can: what is stored there outlives the process, however that dies.
import { type LiveMemory, liveMemoryOf } from "./live-memory.ts";

/** The live memory in a file, the same for every process that maps it; null where that cannot be. */
export function mapLiveMemory(file: string): LiveMemory | null {
  if (typeof Bun === "undefined") return null;
  try {
    return liveMemoryOf(Bun.mmap(file, { shared: true }).buffer);
  } catch {
    return null;
  }
}
