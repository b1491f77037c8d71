// Naughty texts as the content of callbacks: each must arrive as it was sent, with headers that Standard Webhooks accepts.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { Webhook } from "standardwebhooks";
import { clientOf } from "../support/api-client.ts";
import { eventually } from "../support/eventually.ts";
import { NAUGHTY_TEXTS } from "./naughty.ts";

interface Heard {
  readonly body: string;
  readonly headers: Record<string, string>;
}

/** Resolves to what is wrong; nothing: all of them arrived, verified and unchanged. */
export async function hostileWebhooks(url: string, adminToken: string): Promise<readonly string[]> {
  const receiver = await openReceiver();
  try {
    const { client, callbackSecret } = await createApplication(url, receiver.url, adminToken);
    // A text with half a surrogate pair is refused at create.
    const texts = NAUGHTY_TEXTS.filter((text) => text.isWellFormed());
    // As a value, and as a key where the content stays small enough.
    const contents = texts.map((text, at) =>
      text.length > 5_000 ? { at, text } : { at, text, [text]: [text, { [text]: at }] },
    );
    for (const content of contents) {
      const task = { taskNo: `webhook-${content.at}`, name: "hostile", content, timeout: 30_000 };
      const { code, msg } = await client.post("/task/create", task);
      if (code !== 0) return [`content ${content.at} was refused: ${msg}`];
    }
    await eventually(() => (receiver.heard.size === contents.length ? true : undefined));
    return contents.flatMap((content) => {
      const heard = receiver.heard.get(content.at);
      const problem =
        heard === undefined ? "did not come" : problemOf(content, heard, callbackSecret);
      return problem === null ? [] : [`content ${content.at}: ${problem}`];
    });
  } finally {
    receiver.close();
  }
}

async function createApplication(url: string, linkUrl: string, adminToken: string) {
  const answer = await fetch(`${url}/application/create`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${adminToken}` },
    body: JSON.stringify({ appName: "hostile", linkUrl, step: 0, retryTotal: 0 }),
  });
  const { data } = (await answer.json()) as { data: Readonly<Record<string, string>> };
  const { appKey = "", secretKey = "", callbackSecret = "" } = data;
  return { client: clientOf(url, { appKey, secret: secretKey }), callbackSecret };
}

function problemOf(content: object, { body, headers }: Heard, secret: string): string | null {
  try {
    new Webhook(secret).verify(body, headers);
  } catch (error) {
    return String(error);
  }
  const { data } = JSON.parse(body) as { data: unknown };
  return isDeepStrictEqual(data, JSON.parse(JSON.stringify(content))) ? null : "it was changed";
}

async function openReceiver() {
  const heard = new Map<number, Heard>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const { data } = JSON.parse(body) as { data: { at: number } };
      heard.set(data.at, { body, headers: request.headers as Record<string, string> });
      response.end("success");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}/`, heard, close };
}
