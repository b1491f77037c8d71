// Keeps a dead or slow host from filling the lane: a circuit breaker and a limit of deliveries at once, per host.
import type { ClaimLimits } from "../core/attempt.ts";
import type { HostState } from "../core/host-state.ts";

/** What a delivery said about its host; `nothing` when it was stopped or never sent. */
export type HostSign = "alive" | "dead" | "nothing";

export interface HostGatesOptions {
  /** Deliveries at once, over all hosts. */
  readonly concurrency: number;
  /** Epoch ms. */
  readonly nowMs: () => number;
}

export interface HostGates {
  /** Begins a delivery; null when its host has as many as it may have. Call the answer once, at the end. */
  enter(host: string, applicationId: number): ((sign: HostSign) => void) | null;
  limits(): ClaimLimits;
  states(): readonly HostState[];
}

const FAILURES_UNTIL_OPEN = 5;
const FIRST_OPEN_MS = 1_000;
const LONGEST_OPEN_MS = 30_000;
/** Answers that take longer do not earn a host more room. */
const QUICK_MS = 1_000;
/** A host of which nothing was heard for so long is forgotten. */
const FORGET_MS = 600_000;
const FORGET_EVERY_MS = 60_000;

interface Gate {
  readonly host: string;
  readonly applications: Set<number>;
  inFlight: number;
  /** Most deliveries at once: grows with quick answers. */
  room: number;
  failures: number;
  /** Epoch ms; null while closed. */
  openUntil: number | null;
  /** How often it opened since it was closed last. */
  openings: number;
  probes: number;
  usedAt: number;
}

/** Of one lane: each executor learns by itself which hosts are well. */
export function createHostGates({ concurrency, nowMs }: HostGatesOptions): HostGates {
  const leastRoom = Math.max(1, Math.floor(concurrency / 10));
  const mostRoom = Math.max(1, Math.floor(concurrency / 2));
  const gates = new Map<string, Gate>();
  let forgotAt = nowMs();

  function gateOf(host: string): Gate {
    const known = gates.get(host);
    if (known !== undefined) return known;
    const gate: Gate = {
      host,
      applications: new Set(),
      inFlight: 0,
      room: leastRoom,
      failures: 0,
      openUntil: null,
      openings: 0,
      probes: 0,
      usedAt: nowMs(),
    };
    gates.set(host, gate);
    return gate;
  }

  function stateOf({ openUntil }: Gate): HostState["state"] {
    if (openUntil === null) return "closed";
    return openUntil > nowMs() ? "open" : "half-open";
  }

  function enter(host: string, applicationId: number): ((sign: HostSign) => void) | null {
    const gate = gateOf(host);
    gate.applications.add(applicationId);
    gate.usedAt = nowMs();
    if (gate.inFlight >= mostRoom) return null;
    const isProbe = stateOf(gate) === "half-open";
    const startedMs = performance.now();
    gate.inFlight += 1;
    if (isProbe) gate.probes += 1;
    return (sign) => {
      gate.inFlight -= 1;
      if (isProbe) gate.probes -= 1;
      gate.usedAt = nowMs();
      if (sign === "alive") noteAlive(gate, performance.now() - startedMs);
      if (sign === "dead") noteDead(gate, isProbe);
    };
  }

  function noteAlive(gate: Gate, tookMs: number): void {
    gate.failures = 0;
    gate.openings = 0;
    gate.openUntil = null;
    const room = tookMs < QUICK_MS ? gate.room + 1 : gate.room - 1;
    gate.room = Math.min(mostRoom, Math.max(leastRoom, room));
  }

  function noteDead(gate: Gate, isProbe: boolean): void {
    gate.failures += 1;
    gate.room = Math.max(leastRoom, Math.floor(gate.room / 2));
    const opens = gate.openUntil === null ? gate.failures >= FAILURES_UNTIL_OPEN : isProbe;
    if (!opens) return;
    gate.openUntil = nowMs() + Math.min(FIRST_OPEN_MS * 2 ** gate.openings, LONGEST_OPEN_MS);
    gate.openings += 1;
  }

  function mostOf(gate: Gate): number {
    const state = stateOf(gate);
    if (state === "open") return 0;
    if (state === "half-open") return gate.probes === 0 ? 1 : 0;
    return Math.max(0, gate.room - gate.inFlight);
  }

  function forget(): void {
    if (nowMs() - forgotAt < FORGET_EVERY_MS) return;
    forgotAt = nowMs();
    for (const gate of gates.values()) {
      if (gate.inFlight === 0 && nowMs() - gate.usedAt > FORGET_MS) gates.delete(gate.host);
    }
  }

  function limits(): ClaimLimits {
    forget();
    const shares = [...gates.values()].map((gate) => ({
      applicationIds: [...gate.applications],
      most: mostOf(gate),
    }));
    return { mostOfOthers: leastRoom, shares };
  }

  return {
    enter,
    limits,
    states: () =>
      [...gates.values()].map((gate) => ({
        host: gate.host,
        state: stateOf(gate),
        inFlight: gate.inFlight,
        failures: gate.failures,
        nextTry: stateOf(gate) === "open" ? gate.openUntil : null,
      })),
  };
}
