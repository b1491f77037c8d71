// The gates of receivers as their tests use them.
import { createHostGates, type HostGates, type HostSign } from "../../src/callback/host-gates.ts";

const HOST = "shop.example:443";
export const OTHER_HOST = "other.example:443";

/** Gates with a clock of their own, and one host that most deliveries go to. */
export function createWorld(concurrency = 100, mostGates?: number) {
  const clock = { nowMs: 1_000_000 };
  const options = { concurrency, nowMs: () => clock.nowMs, ...(mostGates && { mostGates }) };
  const gates = createHostGates(options);
  const enter = (id = 1, host = HOST) => gates.enter(host, { id, appKey: `key-${id}` });
  const end = (sign: HostSign, times = 1, id = 1) => {
    for (let time = 0; time < times; time++) enter(id)?.(sign);
  };
  const host = () => gates.states().find((state) => state.host === HOST);
  const own = (id = 1) => host()?.applications.find(({ appKey }) => appKey === `key-${id}`);
  return { clock, gates, enter, end, host, own };
}

/** How many tasks of the application one claim may take. */
export function mostOf(gates: HostGates, applicationId = 1): number {
  const allowance = gates.limits().allowance();
  let taken = 0;
  while (taken < 1_000 && allowance.take(applicationId)) taken += 1;
  return taken;
}
