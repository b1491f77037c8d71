// Nonces of signed requests: each is used up once, for ever within the window in which a signature is valid.
import type { Session } from "./dialect.ts";
import { failureKind } from "./failures.ts";

/** True when it was new. A repeated one fails in the statement alone; the transaction goes on. */
export async function takeNonce(
  { connection, dialect }: Session,
  applicationId: number,
  nonce: string,
): Promise<boolean> {
  try {
    await connection
      .insertInto("used_nonces")
      .values({ application_id: applicationId, nonce, used_at: dialect.nowMs })
      .execute();
    return true;
  } catch (thrown) {
    if (failureKind(thrown, dialect) === "duplicate") return false;
    throw thrown;
  }
}
