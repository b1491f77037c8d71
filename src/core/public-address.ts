// Tells globally routable addresses from all others, by their parsed bytes.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

const nat64 = ipaddr.parse("64:ff9b::");
const globalUnicast = ipaddr.parse("2000::");

/**
 * What is really reached: the IPv4 address inside a mapped or NAT64 one. Null for what is no address, and for one with
 * a zone: that means something on this machine's links only.
 */
export function realAddress(text: string): Address | null {
  if (isIP(text) === 0 || text.includes("%")) return null;
  const address = ipaddr.process(text);
  if (address.kind() !== "ipv6" || !address.match(nat64, 96)) return address;
  return ipaddr.fromByteArray(address.toByteArray().slice(12));
}

/** Globally routable unicast. Of IPv6 only 2000::/3 is handed out; the rest is special or not assigned. */
export function isPublic(address: Address | null): boolean {
  if (address?.range() !== "unicast") return false;
  return address.kind() === "ipv4" || address.match(globalUnicast, 3);
}
