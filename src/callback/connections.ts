// Opens connections to receivers and keeps them for the next delivery, never longer than their check is good.
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { AddressGuard } from "./address-guard.ts";
import type { Moment } from "./delivery-notes.ts";
import type { Destination } from "./destination.ts";

/** Below the 5 s after which many servers close idle connections. */
const IDLE_MS = 4_000;
/** A connection may be used up to so long after the address was checked. */
const CHECK_GOOD_MS = 60_000;
const SWEEP_MS = 1_000;

/** The delivery that uses a connection at the moment. */
export interface ConnectionUser {
  /** Of a new connection only. */
  onMoment(moment: Moment): void;
  /** A new connection stands, TLS included. */
  onOpen(): void;
  onData(chunk: Buffer): void;
  /** The receiver sends no more. */
  onEnd(): void;
  /** Called last, and once; null: closed without an error. */
  onClose(error: Error | null): void;
}

export interface ReceiverConnection {
  /** It carried a delivery before, and stands already. */
  readonly isReused: boolean;
  /** The one it is connected to. */
  address(): string | undefined;
  send(text: string): void;
  /** Lets the next delivery have it; without a call its user keeps it until it is closed. */
  keep(): void;
  destroy(): void;
}

export interface Connections {
  /** One that is kept, or a new one with `isFresh` or when none is. Throws AddressRefused. */
  take(to: Destination, user: ConnectionUser, isFresh: boolean): ReceiverConnection;
  /** Closes idle connections. */
  close(): void;
}

export interface ConnectionsDeps {
  readonly guard: AddressGuard;
  /** Monotonic ms: says how old checks are. */
  readonly clockMs: () => number;
}

/** All that a socket knows of its users: one that is gone must not be kept in memory by what it has begun. */
interface Seat {
  user: ConnectionUser | null;
}

/** A connection with what is known of it. */
interface Line {
  readonly socket: Socket;
  readonly seat: Seat;
  readonly key: string;
  readonly checkedAtMs: number;
  idleSinceMs: number;
  address: string | undefined;
  error: Error | null;
}

/** They only ever go to addresses the guard let pass. */
export function createConnections(deps: ConnectionsDeps): Connections {
  const idle = new Map<string, Line[]>();
  let sweeping: ReturnType<typeof setInterval> | undefined;

  function isGood({ socket, checkedAtMs, idleSinceMs }: Line): boolean {
    const now = deps.clockMs();
    return !socket.destroyed && now - checkedAtMs < CHECK_GOOD_MS && now - idleSinceMs < IDLE_MS;
  }

  /** The one used last is the surest; older ones grow idle and are closed. */
  function takeIdle(key: string): Line | undefined {
    const lines = idle.get(key);
    for (let line = lines?.pop(); line !== undefined; line = lines?.pop()) {
      if (isGood(line)) return line;
      line.socket.destroy();
    }
    return undefined;
  }

  function keep(line: Line): void {
    line.seat.user = null;
    line.idleSinceMs = deps.clockMs();
    const lines = idle.get(line.key);
    if (lines === undefined) idle.set(line.key, [line]);
    else lines.push(line);
    sweeping ??= setInterval(sweep, SWEEP_MS).unref();
  }

  function sweep(): void {
    for (const [key, lines] of idle) {
      const { good = [], old = [] } = Object.groupBy(lines, (it) => (isGood(it) ? "good" : "old"));
      for (const { socket } of old) socket.destroy();
      if (good.length === 0) idle.delete(key);
      else idle.set(key, good);
    }
    if (idle.size > 0) return;
    clearInterval(sweeping);
    sweeping = undefined;
  }

  function connectionOf(line: Line, isReused: boolean): ReceiverConnection {
    return {
      isReused,
      address: () => line.address,
      send: (text) => line.socket.write(text),
      keep: () => {
        // What is still to be sent would be read as part of the next request.
        if (line.socket.writableLength > 0) line.socket.destroy();
        else keep(line);
      },
      destroy: () => line.socket.destroy(),
    };
  }

  return {
    take: (to, user, isFresh) => {
      const key = `${to.isSecure}:${to.hostAndPort}`;
      const kept = isFresh ? undefined : takeIdle(key);
      if (kept === undefined) return connectionOf(open(deps, { to, key, user }), false);
      kept.seat.user = user;
      return connectionOf(kept, true);
    },
    close: () => {
      for (const line of [...idle.values()].flat()) line.socket.destroy();
      idle.clear();
      clearInterval(sweeping);
      sweeping = undefined;
    },
  };
}

interface Opening {
  readonly to: Destination;
  readonly key: string;
  readonly user: ConnectionUser;
}

function open({ guard, clockMs }: ConnectionsDeps, { to, key, user }: Opening): Line {
  guard.checkLiteral(to.hostname);
  const seat: Seat = { user };
  const now = clockMs();
  const socket = connect(to, guard, seat);
  const line: Line = {
    socket,
    seat,
    key,
    checkedAtMs: now,
    idleSinceMs: now,
    address: undefined,
    error: null,
  };
  socket.setNoDelay(true);
  socket.once("connect", () => {
    line.address = socket.remoteAddress;
    seat.user?.onMoment("connected");
    if (!to.isSecure) seat.user?.onOpen();
  });
  socket.once("secureConnect", () => {
    seat.user?.onMoment("secured");
    seat.user?.onOpen();
  });
  follow(line);
  return line;
}

/** The delivery that uses the line receives it; on an idle line anything but silence ends it. */
function follow(line: Line): void {
  const { socket, seat } = line;
  socket.on("data", (chunk: Buffer) => {
    if (seat.user === null) socket.destroy();
    else seat.user.onData(chunk);
  });
  socket.on("end", () => {
    if (seat.user === null) socket.destroy();
    else seat.user.onEnd();
  });
  socket.on("error", (error: Error) => {
    line.error = error;
  });
  socket.on("close", () => seat.user?.onClose(line.error));
}

function connect(to: Destination, guard: AddressGuard, seat: Seat): Socket {
  const { hostname: host, port } = to;
  seat.user?.onMoment("connecting");
  const options = { host, port, lookup: noted(guard.lookup, seat) };
  if (!to.isSecure) return connectTcp(options);
  const name = isIP(host) === 0 ? { servername: host } : {};
  // Said here so that NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off.
  return connectTls({ ...options, ...name, rejectUnauthorized: true });
}

function noted(lookup: AddressGuard["lookup"], seat: Seat): AddressGuard["lookup"] {
  return (hostname, options, callback) => {
    seat.user?.onMoment("resolving");
    lookup(hostname, options, (...answer) => {
      seat.user?.onMoment("resolved");
      callback(...answer);
    });
  };
}
