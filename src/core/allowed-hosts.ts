// What CALLBACK_ALLOW names: hosts and addresses that callbacks may reach although they are not public.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { Address } from "./public-address.ts";

export interface AllowedHosts {
  hasName(hostname: string): boolean;
  hasAddress(address: Address | null): boolean;
}

/** @param entries CIDRs, addresses and host names; null: unset */
export function readAllowedHosts(entries: readonly string[] | null): AllowedHosts {
  const networks = (entries ?? []).flatMap(networkOf);
  const names = new Set((entries ?? []).filter((it) => networkOf(it).length === 0).map(bareName));
  return {
    hasName: (hostname) => names.has(bareName(hostname)),
    hasAddress: (address) => networks.some((network) => contains(network, address)),
  };
}

function bareName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

function networkOf(entry: string): [Address, number][] {
  if (ipaddr.isValidCIDR(entry)) return [ipaddr.parseCIDR(entry)];
  if (isIP(entry) === 0) return [];
  const address = ipaddr.process(entry);
  return [[address, address.kind() === "ipv4" ? 32 : 128]];
}

function contains([network, bits]: [Address, number], address: Address | null): boolean {
  return address !== null && address.kind() === network.kind() && address.match(network, bits);
}
