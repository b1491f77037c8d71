// Keeps a dead or slow receiver from filling the lane: breakers and limits, per application and per host.
import type { ClaimLimits } from "../core/attempt.ts";
import type { GateState, HostState } from "../core/views/hosts.ts";
import { type Breaker, closeBreaker, endWait, nextTryOf, noteFailure, stateOf } from "./breaker.ts";
import { createGateBook, type Gate, type GateOwner, type HostGate } from "./gate-book.ts";
import { createGateAllowance, leftOf, leftOfHost, QUICK_MS, roomsOf } from "./gate-rooms.ts";

/**
 * What a delivery said: `alive`: answered; `trouble`: answered, and this application is better left alone; `silent`: no
 * answer, and no application is to blame; `unheard`: not waited for long enough to say whose fault it is; `nothing`:
 * stopped or never sent.
 */
export type HostSign = "alive" | "trouble" | "silent" | "unheard" | "nothing";

export interface HostGatesOptions {
  /** Deliveries at once, over all hosts. */
  readonly concurrency: number;
  /** Epoch ms. */
  readonly nowMs: () => number;
  /** Most applications that are known at once. Default: 10,000. */
  readonly mostGates?: number;
}

export interface HostGates {
  /**
   * Begins a delivery; null when its host has as many as it may have, or is shut out, or the application is. Call the
   * answer once, at the end.
   */
  enter(host: string, application: GateOwner): ((sign: HostSign) => void) | null;
  limits(): ClaimLimits;
  states(): readonly HostState[];
}

const LONGEST_OPEN_MS = 30_000;
/** Shorter: here the innocent wait too, and one probe for all applications costs little. */
const LONGEST_HOST_OPEN_MS = 10_000;
/** One application alone can be to blame for anything: it has a wrong port, or asks for what takes for ever. */
const APPLICATIONS_UNTIL_OPEN = 2;
const MOST_GATES = 10_000;
/** As many applications of a host are shown. */
const MOST_SHOWN = 100;

/** Of one lane: each executor learns by itself which hosts are well. */
export function createHostGates(options: HostGatesOptions): HostGates {
  const { concurrency, nowMs, mostGates = MOST_GATES } = options;
  const rooms = roomsOf(concurrency);
  const book = createGateBook({ nowMs, firstRoom: rooms.least, mostGates });
  let probes = 0;

  function enter(host: string, application: GateOwner): ((sign: HostSign) => void) | null {
    const gate = book.use(host, application);
    if (gate.host.inFlight >= rooms.most) return null;
    const own = stateOf(gate.breaker, nowMs());
    const ofHost = stateOf(gate.host.breaker, nowMs());
    if (own === "open" || ofHost === "open") return null;
    const visit = { gate, isProbe: own === "half-open", isHostProbe: ofHost === "half-open" };
    const startedMs = performance.now();
    count(visit, 1);
    return (sign) => {
      count(visit, -1);
      gate.usedAt = nowMs();
      noteSign(visit, sign, performance.now() - startedMs);
      book.note(gate);
    };
  }

  function count({ gate, isProbe, isHostProbe }: Visit, change: 1 | -1): void {
    if (gate.inFlight === (change > 0 ? 0 : 1)) gate.host.busy += change;
    gate.inFlight += change;
    gate.host.inFlight += change;
    if (isProbe) gate.breaker.probes += change;
    if (isHostProbe) {
      gate.host.breaker.probes += change;
      gate.hostProbes += change;
    }
    if (isHostProbe && change > 0) noteProbe(gate);
    book.note(gate);
  }

  function noteProbe(gate: Gate): void {
    probes += 1;
    gate.probedAt = probes;
    gate.host.probedAtMs = nowMs();
  }

  function noteSign(visit: Visit, sign: HostSign, tookMs: number): void {
    const { gate } = visit;
    if (sign === "nothing") return;
    if (sign === "alive" || sign === "trouble") noteAnswer(gate.host);
    if (sign === "alive") {
      closeBreaker(gate.breaker);
      gate.isSilent = false;
      const room = tookMs < QUICK_MS ? gate.room + 1 : gate.room - 1;
      gate.room = Math.min(rooms.most, Math.max(rooms.least, room));
      return;
    }
    gate.room = Math.max(rooms.least, Math.floor(gate.room / 2));
    noteOwnFailure(visit, sign === "silent");
    if (sign === "silent") noteSilence(visit);
  }

  function noteAnswer(host: HostGate): void {
    host.silentFor.clear();
    const wasShut = host.breaker.openUntil !== null;
    closeBreaker(host.breaker);
    if (!wasShut) return;
    // What they failed of is over: each may try again by itself.
    for (const gate of host.gates.values()) if (gate.isSilent) endWait(gate.breaker, nowMs());
  }

  /** While the host is shut out, silence is its fault alone. */
  function noteOwnFailure({ gate, isProbe }: Visit, isSilent: boolean): void {
    gate.isSilent = isSilent;
    if (isSilent && gate.host.breaker.openUntil !== null) return;
    const longestMs = LONGEST_OPEN_MS;
    noteFailure(gate.breaker, { isProbe, mayOpen: true, nowMs: nowMs(), longestMs });
  }

  function noteSilence({ gate, isHostProbe }: Visit): void {
    const { host } = gate;
    host.silentFor.add(gate.applicationId);
    const mayOpen = host.silentFor.size >= APPLICATIONS_UNTIL_OPEN;
    const longestMs = LONGEST_HOST_OPEN_MS;
    noteFailure(host.breaker, { isProbe: isHostProbe, mayOpen, nowMs: nowMs(), longestMs });
  }

  function isUneven(): boolean {
    if (book.hasShut()) return true;
    for (const gate of book.busy()) {
      if (leftOf(gate, rooms, nowMs()) === 0) return true;
      if (leftOfHost(gate.host, rooms, nowMs()) === 0) return true;
    }
    return false;
  }

  function limits(): ClaimLimits {
    book.forget();
    return {
      isUneven: isUneven(),
      allowance: () => createGateAllowance(book, rooms, nowMs()),
    };
  }

  return { enter, limits, states: () => [...book.hosts()].map((host) => shown(host, nowMs())) };
}

/** A delivery on its way. */
interface Visit {
  readonly gate: Gate;
  readonly isProbe: boolean;
  readonly isHostProbe: boolean;
}

function shown(host: HostGate, nowMs: number): HostState {
  const applications = [...host.gates.values()]
    .map((gate) => ({ appKey: gate.appKey, ...stateShown(gate, nowMs) }))
    .sort((a, b) => badness(b) - badness(a));
  return {
    host: host.host,
    ...stateShown(host, nowMs),
    applications: applications.slice(0, MOST_SHOWN),
    omitted: Math.max(0, applications.length - MOST_SHOWN),
  };
}

function stateShown(of: { breaker: Breaker; inFlight: number }, nowMs: number): GateState {
  const { breaker, inFlight } = of;
  const { failures } = breaker;
  return {
    state: stateOf(breaker, nowMs),
    inFlight,
    failures,
    nextTry: nextTryOf(breaker, nowMs),
  };
}

function badness({ state, failures, inFlight }: GateState): number {
  const isShut = state === "closed" ? 0 : 1;
  return isShut * 1e9 + failures * 1e4 + inFlight;
}
