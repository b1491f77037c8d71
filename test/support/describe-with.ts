// Declares a suite that needs real servers: it runs with them, or is skipped by name with the reason.

import { describe } from "bun:test";
import type { ServiceName, Services, ServiceTypes } from "./services.ts";
import { declareSkipped } from "./skipped.ts";

export type ServerSuite<K extends ServiceName> = {
  readonly title: string;
  readonly needs: readonly K[];
  readonly suite: (services: Pick<ServiceTypes, K>) => void;
};

/**
 * Declares the suite when all it needs is there; else one skipped test that names what is missing,
 * or, with REQUIRE_SERVICES=1, one failing test.
 *
 * @example
 * const services = await acquireServices();
 * describeWith(services, { title: "store on mysql", needs: ["mysql"], suite: ({ mysql }) => { … } });
 */
export function describeWith<K extends ServiceName>(
  services: Services,
  { title, needs, suite }: ServerSuite<K>,
): void {
  if (hasAll(services, needs)) {
    describe(title, () => suite(services));
    return;
  }
  const reasons = needs.filter((name) => services[name] === undefined).map(reasonOf(services));
  declareSkipped(title, reasons.join("; "));
}

function hasAll<K extends ServiceName>(
  services: Services,
  needs: readonly K[],
): services is Services & Pick<ServiceTypes, K> {
  return needs.every((name) => services[name] !== undefined);
}

function reasonOf(services: Services): (name: ServiceName) => string {
  return (name) => `needs ${name}: ${services.missing[name]}`;
}
