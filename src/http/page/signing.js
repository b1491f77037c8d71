// Makes the five headers of a signed call, also on plain http, where browsers have no crypto.subtle.
import { hmac } from "./noble/hmac.js";
import { sha256 } from "./noble/sha2.js";

const SIGNED_HEADERS = "signature";
const encoder = new TextEncoder();

/** The headers for a call, bound to its method, target and body. */
export function signatureHeaders({ appKey, secretKey }, { method, url, body = "" }) {
  const bound = `${method.toUpperCase()} ${url.pathname}${url.search}\n${body}`;
  const payload = hex(sha256(encoder.encode(bound)));
  const timestamps = String(Math.floor(Date.now() / 1000));
  const nonce = hex(crypto.getRandomValues(new Uint8Array(16)));
  const message = encoder.encode(timestamps + nonce + payload);
  const signature = btoa(hex(hmac(sha256, encoder.encode(secretKey), message)));
  return { app_key: appKey, nonce, timestamps, payload, signature };
}

/** The operation of a document that answers such a call, with what stands in its path; undefined without one. */
export function findOperation(paths, { method, url }) {
  for (const [template, operations] of Object.entries(paths)) {
    const params = pathParameters(template, url.pathname);
    const operation = params && operations[method.toLowerCase()];
    if (operation) return { operation, params };
  }
  return undefined;
}

/** Whether a call should carry the signature of `appKey`: another proof that it has already wins where either does. */
export function needsSignature({ operation, params }, { appKey, headers }) {
  const schemes = operation.security ?? [];
  if (!schemes.some((scheme) => SIGNED_HEADERS in scheme)) return false;
  // The operator's token speaks for every application, a signature for its own only.
  if (schemes.some((scheme) => "adminToken" in scheme) && "Authorization" in headers) return false;
  return params.app_key === undefined || params.app_key === appKey;
}

/** Key and secret out of what was pasted: an answer or settings that name them, or just the two. */
export function readCredentials(pasted) {
  const appKey = named("app", pasted);
  const secretKey = named("secret", pasted);
  if (appKey && secretKey) return { appKey, secretKey };
  const words = pasted.split(/[\s:,;]+/).filter(Boolean);
  return words.length === 2 ? { appKey: words[0], secretKey: words[1] } : undefined;
}

function named(word, pasted) {
  const label = new RegExp(`\\b${word}[_-]?key"?'?\\s*[:=]\\s*["']?([^\\s"',;]+)`, "i");
  return label.exec(pasted)?.[1];
}

/** What stands in the path for the template's names; undefined when it is another path. */
function pathParameters(template, pathname) {
  const parts = pathname.split("/");
  const names = template.split("/");
  if (parts.length !== names.length) return undefined;
  const params = {};
  for (const [index, name] of names.entries()) {
    const part = parts[index];
    if (name.startsWith("{") && part !== "") params[name.slice(1, -1)] = decodeURIComponent(part);
    else if (name !== part) return undefined;
  }
  return params;
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
