// Makes a Link of what a runtime offers for talking: fork IPC, a message port, a thread.
import type { Link } from "../core/link.ts";

/** A message port, or a thread seen from its parent. */
export interface PortEnd {
  postMessage(message: unknown): void;
  on(event: "message", hear: (message: unknown) => void): unknown;
  off(event: "message", hear: (message: unknown) => void): unknown;
}

/** Our side of fork IPC, in the parent or in the child. */
export interface ProcessEnd {
  readonly connected: boolean;
  send?(message: object, after: (error: Error | null) => void): boolean;
  on(event: "message", hear: (message: unknown) => void): unknown;
  off(event: "message", hear: (message: unknown) => void): unknown;
}

export function linkOfPort(port: PortEnd): Link {
  return {
    send: (message) => port.postMessage(message),
    onMessage: (hear) => subscribe(port, hear),
  };
}

/** Sending to a process that just ended is no error here: its end is noticed where the process is watched. */
export function linkOfProcess(end: ProcessEnd): Link {
  return {
    send: (message) => {
      if (end.connected) end.send?.(message as object, () => undefined);
    },
    onMessage: (hear) => subscribe(end, hear),
  };
}

function subscribe(end: Pick<PortEnd, "on" | "off">, hear: (message: unknown) => void): () => void {
  end.on("message", hear);
  return () => {
    end.off("message", hear);
  };
}
