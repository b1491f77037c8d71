// The Swagger page: local files only, a strict policy, caching, and no way to other files.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHarness, type Harness } from "./http-harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

describe("/swagger", () => {
  test.each([
    ["/swagger", "text/html; charset=utf-8", 500],
    ["/swagger/page.js", "text/javascript; charset=utf-8", 500],
    ["/swagger/signing.js", "text/javascript; charset=utf-8", 500],
    ["/swagger/page.css", "text/css; charset=utf-8", 100],
    ["/swagger/swagger-ui-bundle.js", "text/javascript; charset=utf-8", 500_000],
    ["/swagger/swagger-ui.css", "text/css; charset=utf-8", 50_000],
    ["/swagger/favicon-32x32.png", "image/png", 100],
    ["/swagger/noble/sha2.js", "text/javascript; charset=utf-8", 500],
    ["/swagger/noble/hmac.js", "text/javascript; charset=utf-8", 500],
  ])("%s is served as %s", async (path, type, atLeastBytes) => {
    const answer = await harness.ask(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe(type);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.text.length).toBeGreaterThan(atLeastBytes);
  });

  test("loads nothing from elsewhere and allows nothing inline", async () => {
    const { text, headers } = await harness.ask("/swagger");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(text).not.toMatch(/https?:\/\//);
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(text).not.toMatch(/\son\w+=|\sstyle=|<style/);
  });

  test("every file the page names is served", async () => {
    const { text } = await harness.ask("/swagger");
    const named = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? "");
    expect(named.length).toBeGreaterThan(3);
    for (const path of named) expect((await harness.ask(`/${path}`)).status).toBe(200);
  });

  test("every module that the page's modules import is served", async () => {
    const seen = new Set<string>();
    const waiting = ["/swagger/page.js"];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const { status, text } = await harness.ask(path);
      expect([path, status]).toEqual([path, 200]);
      for (const [, name = ""] of text.matchAll(/^import .*? from "(.+?)";$/gm)) {
        waiting.push(new URL(name, `http://page${path}`).pathname);
      }
    }
    expect(seen.size).toBeGreaterThan(4);
  });

  test.each([["/swagger"], ["/swagger/json"], ["/swagger/swagger-ui.css"]])(
    "%s is not sent again to who has it",
    async (path) => {
      const { headers } = await harness.ask(path);
      const etag = headers.get("etag") ?? "";
      expect(etag).toMatch(/^"[\w-]{22}"$/);
      const again = await harness.ask(path, { headers: { "if-none-match": etag } });
      expect([again.status, again.text]).toEqual([304, ""]);
      const other = await harness.ask(path, { headers: { "if-none-match": '"x"' } });
      expect(other.status).toBe(200);
    },
  );

  test.each([
    ["/swagger/../package.json"],
    ["/swagger/..%2f..%2fpackage.json"],
    ["/swagger/%2e%2e/server.ts"],
    ["/swagger/index.html"],
    ["/swagger/swagger-ui.js"],
    ["/swagger/page/page.js"],
    ["/swagger//etc/passwd"],
    ["/swagger/swagger-ui.css%00"],
  ])("%s does not exist", async (path) => {
    expect((await harness.ask(path)).status).toBe(404);
  });

  test("/swagger/ leads to it, wherever it is mounted", async () => {
    const answer = await harness.ask("/swagger/");
    expect([answer.status, answer.headers.get("location")]).toEqual([301, "../swagger"]);
  });
});

describe("/", () => {
  test.each([
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
    ["application/json;q=0.8, text/HTML"],
  ])("leads a browser to the page: %s", async (accept) => {
    const { status, headers } = await harness.ask("/", { headers: { accept } });
    expect([status, headers.get("location")]).toEqual([302, "swagger"]);
    expect(headers.get("vary")).toBe("accept");
  });

  test.each([
    ["*/*"],
    ["application/json"],
    ["application/json, text/html;q=0.5"],
    ["text/html;q=0, */*"],
    ["text/htmlx"],
    [""],
  ])("gives every other caller its links: '%s'", async (accept) => {
    const { status, body } = await harness.ask("/", { headers: { accept } });
    expect([status, body.code, body.data]).toMatchObject([200, 0, { docs: "/swagger" }]);
  });
});
