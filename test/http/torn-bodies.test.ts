// Bodies that do not come to their end: given up in time, and their room with them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { listen } from "../../src/http/listen.ts";
import { createHttpApp } from "../../src/http/server.ts";
import { eventually } from "../support/eventually.ts";
import { dial, head } from "../support/wire.ts";
import { createHarness, type Harness, type Keys, signatureFor } from "./http-harness.ts";

let harness: Harness;
let keys: Keys;
beforeAll(async () => {
  harness = await createHarness();
  keys = await harness.createApplication();
});
afterAll(() => harness.close());

describe("a torn body", () => {
  const room = { maxBodyBytes: 1024, maxBodiesMb: 1 / 1024 };
  const detail = "/task/detail";

  async function withPatience(bodyPatienceMs: number, act: (port: number) => Promise<void>) {
    const app = createHttpApp(
      { ...harness.deps, config: { ...harness.deps.config, ...room } },
      { bodyPatienceMs },
    );
    const own = await listen(app, { host: "127.0.0.1", port: 0 });
    try {
      await act(own.port);
    } finally {
      await own.stop();
    }
  }

  function send(port: number, lines: readonly string[], body = '{"id":1}') {
    const wire = dial(port);
    const signed = signatureFor(keys, { method: "POST", path: detail, body: '{"id":1}' });
    const all = [...Object.entries(signed).map(([name, value]) => `${name}: ${value}`), ...lines];
    wire.send(`POST ${detail} HTTP/1.1\r\n${head(all)}${body}`);
    return wire;
  }

  test.each([
    ["with a length", "content-length: 9", "{"],
    ["in chunks", "transfer-encoding: chunked", "1\r\n{\r\n"],
  ])("%s is 408 in the end, and the connection is closed", async (_what, line, body) => {
    await withPatience(50, async (port) => {
      const heard = await send(port, [line], body).closed();
      expect(heard).toStartWith("HTTP/1.1 408");
      expect(heard).toContain("the body did not arrive in time");
    });
  });

  test("a length that is said twice, or is none, counts as it comes", async () => {
    await withPatience(300, async (port) => {
      const twice = send(port, ["content-length: 8", "content-length: 8"]);
      expect(await twice.hears(/\}\n$/)).toStartWith("HTTP/1.1 200");
      twice.destroy();
      // Nothing of it was counted wrong: the room is as large as before.
      const torn = send(port, ["content-length: 1024"]);
      await eventually(async () => {
        const wire = send(port, ["content-length: 8"]);
        const heard = await wire.hears(/\}\n$/);
        wire.destroy();
        return heard.startsWith("HTTP/1.1 503") ? true : undefined;
      });
      torn.destroy();
    });
  });

  test("keeps its room only until then", async () => {
    await withPatience(300, async (port) => {
      const torn = send(port, ["content-length: 1024"]);
      const isFull = async () => {
        const wire = send(port, ["content-length: 8"]);
        const heard = await wire.hears(/\}\n$/);
        wire.destroy();
        return heard;
      };
      const refused = await eventually(async () => {
        const heard = await isFull();
        return heard.includes("MAX_BODIES_MB") ? heard : undefined;
      });
      expect(refused).toStartWith("HTTP/1.1 503");
      expect(refused.toLowerCase()).toContain("retry-after: 1");
      expect(refused.toLowerCase()).toContain("connection: close");
      expect(await torn.closed()).toContain("408");
      expect(await isFull()).toStartWith("HTTP/1.1 200");
    });
  });

  test("in chunks holds what has come, and is refused when there is no room for more", async () => {
    await withPatience(5_000, async (port) => {
      const many = Array.from({ length: 3 }, () => {
        const wire = send(port, ["transfer-encoding: chunked"], "");
        wire.send(`258\r\n${"x".repeat(600)}\r\n`);
        return wire;
      });
      const heard = await Promise.any(many.map((wire) => wire.closed()));
      expect(heard).toStartWith("HTTP/1.1 503");
      for (const wire of many) wire.destroy();
    });
  });
});
