// The bench's load generator against a server that counts: figures from a broken one would mislead.
import { afterEach, expect, test } from "bun:test";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { load } from "../../bench/load.ts";

type Answer = (body: string, answered: number) => { status: number; text: string };

let server: Server;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** The port of a server that answers each body after it came whole. */
function serve(answer: Answer): Promise<number> {
  let answered = 0;
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      const { status, text } = answer(body, answered);
      answered += 1;
      response.writeHead(status, { "content-length": Buffer.byteLength(text) }).end(text);
    });
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  return promise;
}

function loadAt(port: number) {
  const body = '{"taskNo":"汉-#"}';
  const timing = { connections: 4, warmUpMs: 50, durationMs: 100 };
  return load({ port, path: "/task/create", headers: { "x-mark": "1" }, body, ...timing });
}

const SUCCESS = { status: 200, text: '{"code":0,"msg":"好","data":{}}' };

test("every request has a number of its own, and only those after the warm-up are counted", async () => {
  const bodies: string[] = [];
  const port = await serve((body) => {
    bodies.push(body);
    return SUCCESS;
  });
  const result = await loadAt(port);
  expect(new Set(bodies).size).toBe(bodies.length);
  expect(bodies[0]).toBe('{"taskNo":"汉-000000001"}');
  expect(result.requests).toBeGreaterThan(0);
  expect(result.requests).toBeLessThan(bodies.length);
  expect(result.perSecond).toBe(result.requests * 10);
  expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms);
});

test.each([
  ["a refusal", { status: 200, text: '{"code":1,"msg":"no","data":[]}' }],
  ["another status", { status: 503, text: SUCCESS.text }],
])("%s ends the load with what was answered", async (_, wrong) => {
  const port = await serve((_body, answered) => (answered < 20 ? SUCCESS : wrong));
  const outcome = await loadAt(port).then(() => "measured", String);
  expect(outcome).toContain(`HTTP/1.1 ${wrong.status}`);
  expect(outcome).toContain(wrong.text.slice(0, 9));
});
