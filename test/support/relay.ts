// A loopback port in front of a server, as a proxy for failovers: where new connections go can be changed.
import { createServer, type Server, Socket } from "node:net";

export interface Relay {
  readonly port: number;
  /** New connections go there; those that are open stay where they are. */
  pointTo(port: number): void;
  close(): Promise<void>;
}

/** Listens on a free port and carries bytes both ways. */
export async function startRelay(targetPort: number): Promise<Relay> {
  let target = targetPort;
  const open = new Set<Socket>();
  const keep = (socket: Socket, other: Socket) => {
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      other.destroy();
    });
    // What is wrong shows to both sides as a connection that ends.
    socket.on("error", () => other.destroy());
  };
  const server = createServer((near) => {
    const far = new Socket();
    keep(near, far);
    keep(far, near);
    far.connect(target, "127.0.0.1");
    near.pipe(far).pipe(near);
  });
  return {
    port: await listening(server),
    pointTo: (port) => {
      target = port;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
