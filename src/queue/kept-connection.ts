// Keeps one connection to an nsqd open: after every loss it opens another one, pausing a little longer each time.
import type { Logger } from "../core/logger.ts";

/** What is needed of a connection of nsqjs. */
export interface NsqdConnection {
  /** The socket; there is none before the tick after `connect()`. */
  readonly conn: object | null;
  on(event: string, listener: (detail?: unknown) => void): unknown;
  connect(): void;
  close(): void;
  clearIdentifyTimeout(): void;
}

export type KeptState<C> =
  | { readonly kind: "open"; readonly connection: C }
  | { readonly kind: "away"; readonly why: string };

export interface KeptConnection<C extends NsqdConnection> {
  /** host:port */
  readonly address: string;
  /** Settles when the first attempt has succeeded or failed; never rejects. */
  readonly tried: Promise<void>;
  state(): KeptState<C>;
  /** Gives up a connection that seems dead; another one is opened. */
  drop(connection: C, why: string): void;
  close(): void;
}

export interface KeptConnectionSpec<C> {
  readonly address: string;
  /** Makes a connection, not yet connecting. */
  readonly open: () => C;
  readonly logger: Logger;
}

const CONNECT_TIMEOUT_MS = 2_000;
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Starts connecting at once, and never stops before `close()`. */
export function createKeptConnection<C extends NsqdConnection>(
  spec: KeptConnectionSpec<C>,
): KeptConnection<C> {
  const { address, open, logger } = spec;
  const tried = Promise.withResolvers<void>();
  let state: KeptState<C> = { kind: "away", why: "still connecting" };
  let current: C | undefined;
  let why = "";
  let failures = 0;
  let isClosed = false;
  let nextAttempt: NodeJS.Timeout | undefined;

  const connect = (): void => {
    const connection = open();
    current = connection;
    why = "the connection was closed";
    const patience = setTimeout(
      () => drop(connection, `no answer within ${CONNECT_TIMEOUT_MS} ms`),
      CONNECT_TIMEOUT_MS,
    );
    // Without these two listeners an error would end the process.
    connection.on("error", noteError);
    connection.on("connection_error", noteError);
    connection.on("ready", () => {
      clearTimeout(patience);
      onOpen(connection);
    });
    connection.on("closed", () => {
      clearTimeout(patience);
      // nsqjs lets it run on, for 5 s, in which the process could not end.
      connection.clearIdentifyTimeout();
      onClosed();
    });
    connection.connect();
  };

  const noteError = (error: unknown): void => {
    const text = textOf(error);
    if (!isHarmless(text)) why = text;
  };

  const onOpen = (connection: C): void => {
    if (failures > 0) logger.info({ nsqd: address }, "nsqd is back");
    failures = 0;
    state = { kind: "open", connection };
    tried.resolve();
  };

  const onClosed = (): void => {
    current = undefined;
    state = { kind: "away", why };
    tried.resolve();
    if (isClosed) return;
    if (failures === 0) logger.warn({ nsqd: address, error: why }, "nsqd is away");
    nextAttempt = setTimeout(
      connect,
      Math.min(SHORTEST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS),
    );
    failures += 1;
  };

  const drop = (connection: C, reason: string): void => {
    if (connection !== current) return;
    why = reason;
    end(connection);
  };

  connect();
  return {
    address,
    tried: tried.promise,
    state: () => state,
    drop,
    close: () => {
      isClosed = true;
      clearTimeout(nextAttempt);
      if (current !== undefined) drop(current, "closed here");
    },
  };
}

function end(connection: NsqdConnection): void {
  if (connection.conn === null) setImmediate(() => connection.close());
  else connection.close();
}

/** nsqd refused one FIN or REQ, of a message that timed out meanwhile; the connection stays open. */
function isHarmless(error: string): boolean {
  return /^E_(FIN|REQ)_FAILED\b/.test(error);
}

/** Errors of a host name with several addresses have no message of their own, only a code. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name);
}
