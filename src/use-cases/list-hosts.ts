// The use case of looking at the hosts that callbacks go to: every executor is asked, because each learns by itself.
import type { Bus } from "../bus/bus.ts";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { askStore } from "../core/store-answer.ts";
import type {
  ApplicationState,
  ExecutorHost,
  GateState,
  HostState,
  HostsView,
  HostView,
} from "../core/views/hosts.ts";
import type { Store } from "../store/store.ts";

export interface ListHostsDeps {
  readonly store: Pick<Store, "executors">;
  readonly bus: Pick<Bus, "ask">;
  readonly logger: Logger;
}

const ASK_MS = 1_000;
const WORST_FIRST: readonly GateState["state"][] = ["open", "half-open", "closed"];

/** Throws AppError `unavailable` when the executors cannot be read. */
export async function listHosts(deps: ListHostsDeps): Promise<HostsView> {
  const serviceIds = await askStore(() => deps.store.executors.living());
  const answers = await Promise.all(serviceIds.map((serviceId) => ask(deps, serviceId)));
  const known = answers.flatMap((states, place) => {
    const serviceId = serviceIds[place] ?? "";
    return (states ?? []).map((state) => ({ ...state, serviceId }));
  });
  const silent = serviceIds.filter((_, place) => answers[place] === undefined);
  const byHost = Map.groupBy(known, ({ host }) => host);
  const hosts = [...byHost].map(([host, states]) => merge(host, states));
  return { hosts: hosts.sort((a, b) => (a.host < b.host ? -1 : 1)), silent };
}

async function ask({ bus, logger }: ListHostsDeps, serviceId: string) {
  try {
    const answer = await bus.ask(serviceId, { kind: "hosts" }, ASK_MS);
    return answer?.kind === "hosts" ? answer.hosts : undefined;
  } catch (thrown) {
    logger.warn({ service_id: serviceId, error: messageOf(thrown) }, "an executor was not asked");
    return undefined;
  }
}

type AskedHost = HostState & { readonly serviceId: string };

function merge(host: string, states: readonly AskedHost[]): HostView {
  // An executor of an older release knows nothing of applications.
  const known = states.flatMap((state) => state.applications ?? []);
  return {
    host,
    ...worstOf(states),
    applications: mergeApplications(known),
    omitted: states.reduce((sum, { omitted }) => sum + (omitted ?? 0), 0),
    executors: states.map(executorHost),
  };
}

function executorHost(asked: AskedHost): ExecutorHost {
  const { serviceId, state, inFlight, failures, nextTry } = asked;
  return { serviceId, state, inFlight, failures, nextTry };
}

function mergeApplications(known: readonly ApplicationState[]): ApplicationState[] {
  const byKey = Map.groupBy(known, ({ appKey }) => appKey);
  const merged = [...byKey].map(
    ([appKey, states]): ApplicationState => ({ appKey, ...worstOf(states) }),
  );
  return merged.sort((a, b) => (a.appKey < b.appKey ? -1 : 1));
}

function worstOf(states: readonly GateState[]): GateState {
  const tries = states.flatMap(({ nextTry }) => (nextTry === null ? [] : [nextTry]));
  return {
    state: WORST_FIRST.find((word) => states.some(({ state }) => state === word)) ?? "closed",
    inFlight: states.reduce((sum, { inFlight }) => sum + inFlight, 0),
    failures: Math.max(...states.map(({ failures }) => failures)),
    nextTry: tries.length === 0 ? null : Math.min(...tries),
  };
}
