// A loopback port in front of a MySQL server that loses the answer to one commit, or holds that commit up.

import type { AddressInfo } from "node:net";
import { createServer, Socket } from "node:net";

/** A query packet is its length, its number, 3 and the text. */
const COMMIT = Buffer.from("\x03commit");

export interface CommitRelay {
  readonly port: number;
  /** The next transaction that has said `text` is committed, but its connection ends instead of the answer. */
  loseAnswer(text: string): Promise<void>;
  /** The same, but the commit reaches the server only when `release` is called. */
  holdCommit(text: string): Promise<{ release(): void }>;
  close(): Promise<void>;
}

/** What is to be done to a commit; settles `met` when it came by. */
interface Trap {
  readonly text: string;
  readonly isHeld: boolean;
  readonly met: (release: () => void) => void;
}

export async function startCommitRelay(target: {
  host: string;
  port: number;
}): Promise<CommitRelay> {
  const open = new Set<Socket>();
  let trap: Trap | null = null;

  const server = createServer((near) => {
    const far = new Socket();
    const saw = { text: false };
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => socket.destroy());
      socket.once("close", () => open.delete(socket));
    }
    far.once("close", () => near.destroy());
    near.once("close", () => {
      if (!held.has(far)) far.destroy();
    });
    far.connect(target.port, target.host);
    far.on("data", (bytes) => near.write(bytes));
    near.on("data", (bytes: Buffer) => {
      if (trap !== null && bytes.includes(trap.text)) saw.text = true;
      if (trap !== null && saw.text && bytes.includes(COMMIT)) {
        spring(trap, { near, far, bytes });
        trap = null;
      } else far.write(bytes);
    });
  });

  const held = new Set<Socket>();
  function spring({ isHeld, met }: Trap, { near, far, bytes }: Sprung): void {
    far.removeAllListeners("data");
    // The answer is the proof that the commit is done.
    far.once("data", () => {
      held.delete(far);
      near.destroy();
      far.destroy();
      if (!isHeld) met(() => undefined);
    });
    if (isHeld) {
      held.add(far);
      near.destroy();
      met(() => far.write(bytes));
    } else far.write(bytes);
  }

  const set = (text: string, isHeld: boolean) =>
    new Promise<() => void>((met) => {
      trap = { text, isHeld, met };
    });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    loseAnswer: async (text) => {
      await set(text, false);
    },
    holdCommit: async (text) => ({ release: await set(text, true) }),
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Sprung {
  readonly near: Socket;
  readonly far: Socket;
  readonly bytes: Buffer;
}
