// Receives callbacks, in the mood that each delivery asks for in its body.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A delivery as it arrived. */
export interface HeardDelivery {
  readonly headers: object;
  readonly body: string;
}

export interface MoodyReceiver {
  readonly url: string;
  readonly heard: readonly HeardDelivery[];
  close(): void;
}

/** Answers `success`, 503 where the body says `refuse`, and nothing at all where it says `hold`. */
export async function openMoodyReceiver(): Promise<MoodyReceiver> {
  const heard: HeardDelivery[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      heard.push({ headers: request.headers, body });
      if (body.includes("hold")) return;
      response.statusCode = body.includes("refuse") ? 503 : 200;
      response.end(response.statusCode === 200 ? "success" : "busy");
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    heard,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
