// Decides which addresses a callback may connect to, and is the only way in which one gets resolved.
import { type LookupAddress, lookup as lookupName } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { readAllowedHosts } from "../core/allowed-hosts.ts";
import { isPublic, realAddress } from "../core/public-address.ts";

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
  const allowed = readAllowedHosts(allow);

  function check(hostname: string, address: string): void {
    if (allowed.hasName(hostname)) return;
    const real = realAddress(address);
    if (
      allowed.hasAddress(real) ||
      isPublic(real) ||
      (allowLoopback && real?.range() === "loopback")
    )
      return;
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
