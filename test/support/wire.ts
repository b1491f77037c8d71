// A connection to a server of which every byte is written by the test.
import { connect, type Socket } from "node:net";
import { patienceMs } from "./patience.ts";

/** A connection that keeps what it hears. */
export interface Wire {
  send(text: string): void;
  /** Resolves with everything heard once it matches. */
  hears(pattern: RegExp): Promise<string>;
  /** Resolves with everything heard once the other side closed. */
  closed(): Promise<string>;
  destroy(): void;
}

/** Connects to a port of this machine. */
export function dial(port: number): Wire {
  const socket: Socket = connect(port, "127.0.0.1");
  let heard = "";
  let isClosed = false;
  const waiting = new Set<() => void>();
  const notify = () => {
    for (const look of waiting) look();
  };
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    heard += chunk;
    notify();
  });
  // A reset after the answer was sent is how a refused body ends.
  socket.on("error", notify);
  socket.on("close", () => {
    isClosed = true;
    notify();
  });
  const until = (isIt: () => boolean) =>
    new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`never: ${heard}`)), patienceMs());
      const look = () => {
        if (!isIt()) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(heard);
      };
      waiting.add(look);
      look();
    });
  return {
    send: (text) => {
      socket.write(text);
    },
    hears: (pattern) => until(() => pattern.test(heard)),
    closed: () => until(() => isClosed),
    destroy: () => socket.destroy(),
  };
}

/** The end of a request's head: its Host, the lines, an empty one. */
export function head(lines: readonly string[]): string {
  return `${["Host: 127.0.0.1", ...lines].join("\r\n")}\r\n\r\n`;
}
