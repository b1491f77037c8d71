// Decides which addresses a callback may connect to, and is the only way in which one gets resolved.
import { type LookupAddress, lookup as lookupName } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { type Address, isPublic, realAddress } from "../core/public-address.ts";

export interface AddressRules {
  /** CIDRs, addresses and host names that may be reached although they are not public; null: unset. */
  readonly allow: readonly string[] | null;
  readonly allowLoopback: boolean;
}

export interface AddressGuard {
  /**
   * Throws `AddressRefused` when the host is an address that must not be reached. Connecting to an address asks no
   * `lookup`, so this must be called besides.
   */
  checkLiteral(hostname: string): void;
  /** For node:http, node:https and node:net: the connection goes to the very address that was checked. */
  readonly lookup: LookupFunction;
}

/** Finds all addresses of a name; only tests give another one. */
export type Resolve = (
  hostname: string,
  options: Parameters<LookupFunction>[1],
  callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** The host, or one of the addresses its name has, is neither public nor allowed. */
export class AddressRefused extends Error {
  readonly code = "ADDRESS_REFUSED";

  constructor(hostname: string, address: string) {
    const resolved = hostname === address ? "" : ` (an address of ${hostname})`;
    super(`${address}${resolved} is not a public address; name it in CALLBACK_ALLOW to allow it`);
    this.name = "AddressRefused";
  }
}

/** Every address of a name must be fit: one private address among public ones refuses the name. */
export function createAddressGuard(
  { allow, allowLoopback }: AddressRules,
  resolve: Resolve = resolveAll,
): AddressGuard {
  const entries = allow ?? [];
  const networks = entries.flatMap(networkOf);
  const names = new Set(entries.filter((entry) => networkOf(entry).length === 0).map(bareName));

  function check(hostname: string, address: string): void {
    if (names.has(bareName(hostname))) return;
    const real = realAddress(address);
    const isNamed = networks.some((network) => contains(network, real));
    if (isNamed || isPublic(real) || (allowLoopback && real?.range() === "loopback")) return;
    throw new AddressRefused(hostname, address);
  }

  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, options, (error, addresses) => {
      const failure = error ?? refusalOf(() => addresses.map((it) => check(hostname, it.address)));
      const [first] = failure === null ? addresses : [];
      if (failure !== null) callback(failure, []);
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, first?.address ?? "", first?.family);
    });
  };

  return {
    lookup,
    checkLiteral: (hostname) => {
      if (isIP(hostname) !== 0) check(hostname, hostname);
    },
  };
}

function resolveAll(...[hostname, options, callback]: Parameters<Resolve>): void {
  lookupName(hostname, { ...options, all: true }, callback);
}

function refusalOf(check: () => void): Error | null {
  try {
    check();
    return null;
  } catch (error) {
    return error as AddressRefused;
  }
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
