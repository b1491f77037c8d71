// Writes the curl call that is shown to callers whose body is not JSON.
import { ownUrl } from "../core/host-port.ts";
import type { HttpDeps } from "./deps.ts";

const SIGNATURE_HEADERS = ["app_key", "nonce", "timestamps", "payload", "signature"];

interface Call {
  readonly path: string;
  readonly body: unknown;
  /** The headers that identify the caller. */
  readonly proof: "signature" | "admin" | "none";
}

/** One line that can be pasted into a shell; what only the caller knows is a variable in it. */
export function curlFor(config: HttpDeps["config"], call: Call): string {
  const headers = ["content-type: application/json", ...proofHeaders(config, call.proof)];
  const flags = headers.map((header) => `-H "${header}"`).join(" ");
  return `curl ${ownUrl(config)}${call.path} ${flags} --data-binary '${JSON.stringify(call.body)}'`;
}

function proofHeaders(config: HttpDeps["config"], proof: Call["proof"]): string[] {
  if (proof === "signature") return SIGNATURE_HEADERS.map((name) => `${name}: $${name}`);
  const isBearer = proof === "admin" && config.adminToken !== null;
  return isBearer ? ["authorization: Bearer $ADMIN_TOKEN"] : [];
}
