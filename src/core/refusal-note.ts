// Why exactly a signature was refused: the answer has one text for all of it, the log tells.

/** Which check said no; only the log is told. */
export type FailedCheck =
  | "missing headers"
  | "a header twice"
  | "app_key in two spellings"
  | "form of app_key"
  | "form of nonce"
  | "form of payload"
  | "form of timestamps"
  | "timestamps"
  | "unknown key"
  | "signature"
  | "payload"
  | "body signature required"
  | "nonce used"
  | "not its own key or current secret"
  | "secret";

/** What the log may say of a refusal. */
export interface RefusalNote {
  readonly check: FailedCheck;
  /** As claimed. */
  readonly appKey?: string | undefined;
  /** Names of the headers that did not arrive. */
  readonly missing?: readonly string[];
  /** How far the caller's clock is behind ours, in s; negative: ahead. */
  readonly skewS?: number;
}
