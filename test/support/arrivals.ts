// A receiver that notes what arrives and answers `success`.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type Arrivals = {
  readonly url: string;
  /** Monotonic ms of the last request to each path. */
  readonly last: ReadonlyMap<string, number>;
  readonly forget: () => void;
  readonly close: () => void;
};

export async function hearArrivals(): Promise<Arrivals> {
  const last = new Map<string, number>();
  const server = createServer((request, response) => {
    last.set(request.url ?? "", performance.now());
    request.resume().on("end", () => response.end("success"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    last,
    forget: () => last.clear(),
    close: () => {
      server.close();
    },
  };
}
