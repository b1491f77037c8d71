// Environment → one frozen Config; all problems at once.

/** The shapes in which the platform runs; there is nothing between them. */
export type Shape = "embedded" | "mysql" | "servers";
export type Role = "all" | "api" | "executor";

/** Every setting, checked. */
export interface Config {
  readonly shape: Shape;
  readonly role: Role;
  readonly host: string;
  readonly port: number;
  /** Absolute. */
  readonly dataDir: string;
  readonly database:
    | { readonly kind: "sqlite"; readonly path: string }
    | { readonly kind: "mysql"; readonly url: string };
  readonly redisUrl: string | null;
  readonly nsq: NsqConfig | null;
  /** Absolute. */
  readonly jobsDir: string;
  readonly executorSlots: number;
  readonly callbackConcurrency: number;
  /** CIDRs and host names that callbacks may reach although they are not public; null: unset. */
  readonly callbackAllow: readonly string[] | null;
  readonly leaseMs: number;
  readonly executorDrainMs: number;
  readonly adminToken: string | null;
  /** Null only in the embedded shape, which keeps a key file in `dataDir`. */
  readonly secretKey: string | null;
  /** IANA name. */
  readonly timezone: string;
  readonly signatureTtlS: number;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly maxBodyBytes: number;
  readonly shutdownTimeoutMs: number;
  readonly retentionDays: number;
  readonly migrate: boolean;
  readonly allowUnkillable: boolean;
}

export interface NsqConfig {
  /** host:port; at least one. Api processes publish to them. */
  readonly nsqdTcpAddresses: readonly string[];
  /** host:port or URLs; may be empty, then consumers connect to the nsqds directly. */
  readonly lookupdHttpAddresses: readonly string[];
  readonly topic: string;
  readonly channel: string;
}
