// The receiver of callbacks in a fault session, a process of its own: does what each order asks for, and notes it.
import { createServer, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { openHistory } from "./history.ts";

interface Order {
  readonly order: string;
  readonly mood: "good" | "refuse-first" | "redirect";
}

const HOLD_MS = 15;
const [file = "", port = "0"] = process.argv.slice(2);
const note = openHistory(file, "receiver");
const seen = new Set<string>();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    if (request.url === "/trap") note({ op: "trap", kind: "fail" });
    const { data } = JSON.parse(Buffer.concat(chunks).toString() || "{}") as { data?: Order };
    if (data === undefined) response.end("success");
    else receive(data, response).catch((thrown: unknown) => response.destroy(thrown as Error));
  });
});
server.listen(Number(port), "127.0.0.1");

async function receive({ order, mood }: Order, response: ServerResponse): Promise<void> {
  note({ op: "delivery-start", kind: "ok", taskNo: order });
  await delay(HOLD_MS);
  note({ op: "delivery-end", kind: "ok", taskNo: order });
  const isFirst = !seen.has(order);
  seen.add(order);
  if (mood === "redirect") {
    response.writeHead(302, { location: "/trap" }).end("success");
  } else if (mood === "refuse-first" && isFirst) {
    response.writeHead(500).end("success");
  } else {
    note({ op: "delivery", kind: "ok", taskNo: order });
    response.end("success");
  }
}
