// Tells whether a host is this machine itself, by the text of its address or its reserved name.
import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** True for 127.0.0.0/8, ::1 (also in brackets, also IPv4-mapped) and `localhost`; no name is resolved. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1];
  const family = isIP(mapped ?? bare);
  if (family === 0) return bare === "localhost";
  return loopback.check(mapped ?? bare, family === 4 ? "ipv4" : "ipv6");
}
