// Types of nsqjs 0.13's two connection classes, of which @types/nsqjs knows nothing.
declare module "nsqjs/lib/nsqdconnection.js" {
  import type { EventEmitter } from "node:events";
  import type { Socket } from "node:net";

  export interface NsqMessage {
    readonly body: Buffer;
    finish(): void;
    /** Back to nsqd, to be pushed again after `delayMs`; `backoff` would slow the whole reader down. */
    requeue(delayMs: number, backoff: boolean): void;
  }

  /** Seconds, except `messageTimeout` in ms; -1 turns a buffer off. */
  export interface ConnectionOptions {
    readonly heartbeatInterval: number;
    readonly idleTimeout: number;
    readonly messageTimeout: number;
    readonly outputBufferSize: number;
    readonly outputBufferTimeout: number;
  }

  /** Subscribes to a channel; emits connected, ready, message, error, connection_error and closed. */
  export class NSQDConnection extends EventEmitter {
    /** Null until the tick after `connect()`; `close()` throws before. */
    readonly conn: Socket | null;
    constructor(
      host: string,
      port: number,
      topic: string,
      channel: string,
      options: ConnectionOptions,
    );
    connect(): void;
    /** How many messages nsqd may have pushed without an answer. */
    setRdy(count: number): void;
    clearIdentifyTimeout(): void;
    close(): void;
  }

  /** Publishes; emits the same events. */
  export class WriterNSQDConnection extends EventEmitter {
    readonly conn: Socket | null;
    /** Epoch ms of anything that came, heartbeats too. */
    readonly lastReceivedTimestamp: number | null;
    constructor(host: string, port: number, options: ConnectionOptions);
    connect(): void;
    /** Does nothing at all, without calling back, unless the connection is ready. */
    produceMessages(
      topic: string,
      messages: readonly string[],
      deferMs: undefined,
      callback: (error: Error | null) => void,
    ): void;
    clearIdentifyTimeout(): void;
    close(): void;
  }
}
