// The documentation as routes: the document, and Swagger UI from local files.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { succeed } from "./envelope.ts";
import type { Exchange, Route } from "./route.ts";

/** A file as it is served. */
interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

const PACKAGE_MAX_AGE_S = 86_400;

const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};

const OWN_FOLDER = fileURLToPath(new URL("./page/", import.meta.url));

// Only these files exist for the outside: a path from a request never reaches the disk.
// biome-ignore format: a table is read by its columns
const FILES = [
  { path: "/swagger",                       file: own("index.html"), type: "text/html; charset=utf-8" },
  { path: "/swagger/page.js",               file: own("page.js"), type: "text/javascript; charset=utf-8" },
  { path: "/swagger/signing.js",            file: own("signing.js"), type: "text/javascript; charset=utf-8" },
  { path: "/swagger/jobs.js",               file: own("jobs.js"), type: "text/javascript; charset=utf-8" },
  { path: "/swagger/page.css",              file: own("page.css"), type: "text/css; charset=utf-8" },
  { path: "/swagger/swagger-ui-bundle.js",  file: uiPart("swagger-ui-bundle.js"), type: "text/javascript; charset=utf-8" },
  { path: "/swagger/swagger-ui.css",        file: uiPart("swagger-ui.css"), type: "text/css; charset=utf-8" },
  { path: "/swagger/favicon-32x32.png",     file: uiPart("favicon-32x32.png"), type: "image/png" },
  // Browsers have no crypto.subtle on plain http; these files import one another by these names.
  { path: "/swagger/noble/sha2.js",            file: hashPart("sha2.js"), type: "text/javascript; charset=utf-8" },
  { path: "/swagger/noble/hmac.js",            file: hashPart("hmac.js"), type: "text/javascript; charset=utf-8" },
  { path: "/swagger/noble/utils.js",           file: hashPart("utils.js"), type: "text/javascript; charset=utf-8" },
  { path: "/swagger/noble/_md.js",             file: hashPart("_md.js"), type: "text/javascript; charset=utf-8" },
  { path: "/swagger/noble/_u64.js",            file: hashPart("_u64.js"), type: "text/javascript; charset=utf-8" },
] as const;

/** `/`, `/swagger`, its files, and the document that `writeDocument` makes at `/swagger/json`. */
export function docsRoutes(writeDocument: () => Promise<string>): Route[] {
  const documentOnce = once(async () => asset(Buffer.from(await writeDocument())));
  return [
    { method: "GET", path: "/", answer: ({ request }) => answerRoot(request.headers) },
    { method: "GET", path: "/swagger/", answer: () => redirect(301, "../swagger") },
    {
      method: "GET",
      path: "/swagger/json",
      answer: async ({ request }) => serve(request, await documentOnce(), JSON_HEADERS),
    },
    ...FILES.map(fileRoute),
  ];
}

const LINKS = {
  name: "Serendipity Job",
  docs: "/swagger",
  openapi: "/swagger/json",
  health: ["/healthz", "/readyz"],
};
const JSON_HEADERS = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-cache",
};

function own(name: string): string {
  return OWN_FOLDER + name;
}

function uiPart(name: string): string {
  return createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`);
}

function hashPart(name: string): string {
  // What they import from one another is not exported, so a file is found beside one that is.
  const known = createRequire(import.meta.url).resolve("@noble/hashes/sha2.js");
  return join(dirname(known), name);
}

function fileRoute({ path, file, type }: (typeof FILES)[number]): Route {
  const readOnce = once(async () => asset(await readFile(file)));
  const isOurs = file.startsWith(OWN_FOLDER);
  const headers = {
    ...PAGE_HEADERS,
    "content-type": type,
    "cache-control": isOurs ? "no-cache" : `public, max-age=${PACKAGE_MAX_AGE_S}`,
  };
  const answer = async ({ request }: Exchange) => serve(request, await readOnce(), headers);
  return { method: "GET", path, answer };
}

function asset(bytes: Buffer): Asset {
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { bytes: new Uint8Array(bytes), etag };
}

function serve(
  request: Request,
  { bytes, etag }: Asset,
  more: Readonly<Record<string, string>>,
): Response {
  const headers = { ...more, etag, "x-content-type-options": "nosniff" };
  if (request.headers.get("if-none-match")?.includes(etag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(bytes, { headers });
}

/** A browser is led to the page; every other caller gets the links as data. */
function answerRoot(headers: Headers): Response {
  const response = wantsPage(headers.get("accept") ?? "")
    ? redirect(302, "swagger")
    : succeed(LINKS);
  response.headers.set("vary", "accept");
  return response;
}

/** Whether `Accept` prefers HTML to JSON. */
function wantsPage(accept: string): boolean {
  return weightOf(accept, "text/html") > weightOf(accept, "application/json");
}

/** 0 where the type is not named: a client that takes anything has always got JSON. */
function weightOf(accept: string, type: string): number {
  const entries = accept.split(",").map((entry) => entry.toLowerCase().replace(/\s/g, ""));
  const entry = entries.find((each) => each === type || each.startsWith(`${type};`));
  if (entry === undefined) return 0;
  return Number(/;q=([\d.]+)/.exec(entry)?.[1] ?? 1);
}

function redirect(status: number, location: string): Response {
  return new Response(null, { status, headers: { location } });
}

/** Does the work at the first call; a failure is not kept. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => {
    started ??= work().catch((error: unknown) => {
      started = undefined;
      throw error;
    });
    return started;
  };
}
