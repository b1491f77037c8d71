// Picks free loopback ports outside the range from which the kernel takes client ports.

import { randomInt } from "node:crypto";
import { createServer } from "node:net";

// A client that retries a closed port from the ephemeral range (32768+) can connect to itself and
// so occupy it: a killed server could then not come back on its own port.
const LOWEST_PORT = 15_000;
const HIGHEST_PORT = 30_000;

/** A port on 127.0.0.1 that nothing listened on a moment ago. */
export async function findFreePort(): Promise<number> {
  const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
  return (await canListen(port)) ? port : findFreePort();
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
