// Finds out at the start whether the secret key is the one that the secrets in this database were sealed with.
import { type SecretBox, wrongKey } from "../core/secret-box.ts";
import type { Store } from "../store/store.ts";

const CHECK_KEY = "secret_check";
const CHECK_TEXT = "serendipity-job";

/** Throws AppError `configuration` unless the box opens what was sealed in this database before. */
export async function verifySecretKey(
  store: Pick<Store, "putOnce">,
  box: SecretBox,
): Promise<void> {
  const kept = await store.putOnce(CHECK_KEY, box.seal(CHECK_TEXT));
  if (box.open(kept) !== CHECK_TEXT) throw wrongKey(new Error("the check value differs"));
}
