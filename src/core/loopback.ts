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

interface Served {
  readonly shape: string;
  /** Null where CALLBACK_ALLOW is unset. */
  readonly callbackAllow: unknown;
  readonly host: string;
}

/** Whether callbacks may reach this machine without being named in CALLBACK_ALLOW: for trying it out. */
export function allowsLoopbackCallbacks({ shape, callbackAllow, host }: Served): boolean {
  return shape === "embedded" && callbackAllow === null && isLoopbackHost(host);
}
