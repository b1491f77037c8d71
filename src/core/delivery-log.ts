// What is kept of one delivery: where it went, how long each step took and what was said; never a secret.

/** Ms; null where the step did not happen, or not on this delivery because its connection was there already. */
export interface DeliveryTimings {
  readonly dns: number | null;
  readonly connect: number | null;
  readonly tls: number | null;
  /** From the start to the first byte of the answer. */
  readonly first_byte: number | null;
  readonly total: number;
}

/** As it is stored and shown. */
export interface DeliveryLog {
  /** Without user, password and the values of its query. */
  readonly url: string;
  /** The address that was connected to; null when it came to no connection. */
  readonly address: string | null;
  readonly timings: DeliveryTimings;
  /** Null without an answer. */
  readonly status: number | null;
  readonly request_headers: Readonly<Record<string, string>>;
  readonly response_headers: Readonly<Record<string, string>>;
  /** The first 4 KiB of the answer. */
  readonly response_body: string;
  /** The answer was longer than what is kept of it. */
  readonly response_truncated: boolean;
}
