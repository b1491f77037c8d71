// Serves an app on a port, with whichever server the runtime has.
import { AppError, messageOf } from "../core/errors.ts";
import { within } from "../core/within.ts";
import type { HttpApp } from "./app.ts";
import { describeHolder } from "./port-holder.ts";

export interface ListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface ListeningServer {
  readonly port: number;
  /** Takes no new connection, lets requests in progress end, then closes what is left. */
  stop(): Promise<void>;
}

/** What both runtimes can do with a server once it runs. */
interface NativeServer {
  readonly port: number;
  /** Settles when the requests in progress are answered. */
  drain(): Promise<void>;
  destroy(): Promise<void>;
}

/** The part of Deno's server that is used. */
interface DenoRuntime {
  serve(
    options: {
      readonly hostname: string;
      readonly port: number;
      readonly onListen: () => void;
    },
    fetch: (request: Request) => Promise<Response>,
  ): {
    readonly addr: { readonly port: number };
    shutdown(): Promise<void>;
  };
}

/** A cancel may take 5 s to respond. */
const DRAIN_MS = 8_000;
/** Of silence on a connection; more than any response takes. */
const IDLE_TIMEOUT_S = 30;

/** Starts serving. Throws AppError `configuration` that names the holder when the port is in use. */
export async function listen(app: HttpApp, options: ListenOptions): Promise<ListeningServer> {
  const server = await serve(app, options).catch((error: unknown) => refuse(error, options));
  return {
    port: server.port,
    stop: async () => {
      await within(server.drain(), DRAIN_MS);
      await server.destroy();
    },
  };
}

async function serve(app: HttpApp, options: ListenOptions): Promise<NativeServer> {
  const { Deno: deno } = globalThis as { Deno?: DenoRuntime };
  return deno === undefined ? serveOnBun(app, options) : serveOnDeno(deno, app, options);
}

function serveOnBun(app: HttpApp, { host, port }: ListenOptions): NativeServer {
  const server = Bun.serve({
    hostname: host,
    port,
    fetch: (request) => app.fetch(request),
    // Otherwise a second start would silently share the port.
    reusePort: false,
    // Bun's own refusal has no envelope; the app counts the bytes itself, and Bun reads no further than it asks.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    idleTimeout: IDLE_TIMEOUT_S,
    development: false,
  });
  return {
    port: server.port ?? port,
    drain: () => server.stop(false),
    destroy: () => server.stop(true),
  };
}

function serveOnDeno(deno: DenoRuntime, app: HttpApp, options: ListenOptions): NativeServer {
  const { host: hostname, port } = options;
  const server = deno.serve({ hostname, port, onListen: () => undefined }, (request) =>
    app.fetch(request),
  );
  return {
    port: server.addr.port,
    drain: () => server.shutdown(),
    // Aborting a server that is shutting down throws; what is left ends with the process.
    destroy: () => Promise.resolve(),
  };
}

async function refuse(error: unknown, { host, port }: ListenOptions): Promise<never> {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const why =
    code === "EADDRINUSE"
      ? `port ${port} on ${host} is in use${await describeHolder(port)}; stop it or set PORT`
      : `cannot listen on ${host} port ${port}: ${messageOf(error)}; check HOST and PORT`;
  throw new AppError("configuration", why, { cause: error });
}
