// Tells whether a caller may create applications and look at the hosts: with the ADMIN_TOKEN, or, where none is set, from this machine.
import { createHash, timingSafeEqual } from "node:crypto";
import { AppError } from "../core/errors.ts";
import { isLoopbackHost } from "../core/loopback.ts";
import type { HttpDeps } from "./deps.ts";
import type { Exchange } from "./route.ts";

export const ADMIN_CHALLENGE = 'Bearer realm="applications"';

const LOCAL_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);
const PROXY_HEADER = /^(?:forwarded|via|x-forwarded-.*)$/;

/** Throws AppError `unauthorised` unless the caller may create applications. */
export function requireAdmin(config: HttpDeps["config"], exchange: Exchange): void {
  if (config.adminToken === null) requireLocal(config.host, exchange);
  else requireBearer(config.adminToken, exchange.request.headers);
}

function requireLocal(servedHost: string, { request, url }: Exchange): void {
  const { headers } = request;
  const names = [url.host, headers.get("host") ?? url.host];
  if (!isLoopbackHost(servedHost) || !names.every(isLocalName) || cameThroughProxy(headers)) {
    throw new AppError(
      "unauthorised",
      "without ADMIN_TOKEN this is open on this machine only, at http://127.0.0.1 or localhost and without a proxy; set ADMIN_TOKEN and send it as Authorization: Bearer",
    );
  }
  // A page on the web may send a body without a type anywhere; with a JSON type its browser asks us first.
  // What only reads tells that page nothing: the browser keeps the response from it.
  if (headers.has("content-type") || request.method === "GET" || request.method === "HEAD") return;
  throw new AppError(
    "unsupported",
    "say that the body is JSON: -H 'content-type: application/json'",
  );
}

function requireBearer(token: string, headers: Headers): void {
  const given = /^Bearer +(.+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? "";
  // Hashing first makes both the same length, so that not even the length of the token shows in the time.
  if (timingSafeEqual(sha256(token), sha256(given))) return;
  throw new AppError("unauthorised", "send the ADMIN_TOKEN as Authorization: Bearer <token>");
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}

function isLocalName(host: string): boolean {
  return LOCAL_NAMES.has(host.replace(/:\d+$/, "").toLowerCase());
}

function cameThroughProxy(headers: Headers): boolean {
  return [...headers.keys()].some((name) => PROXY_HEADER.test(name));
}
