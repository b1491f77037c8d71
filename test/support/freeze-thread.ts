// Stops this thread for a moment on purpose, so that messages pile up in front of it.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What was sent before leaves and is answered by the other side meanwhile, but nothing comes in here. */
export async function freezeThread(forMs: number): Promise<void> {
  await letSendersSend();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

/** The same until an nsqd has pushed a message of the topic to this process. */
export async function freezeThreadUntilPushed(httpAddress: string, topic: string): Promise<void> {
  await letSendersSend();
  const script = fileURLToPath(new URL("./until-pushed.ts", import.meta.url));
  const { status } = spawnSync(process.execPath, ["--no-install", script, httpAddress, topic]);
  if (status !== 0) throw new Error(`nsqd pushed nothing of ${topic}`);
}

/** They may need some turns of microtasks to reach the socket. */
async function letSendersSend(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
