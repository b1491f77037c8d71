// Says how many more deliveries an application may have at its host, and counts them within one claim.
import type { ClaimAllowance } from "../core/attempt.ts";
import { stateOf } from "./breaker.ts";
import type { Gate, GateBook, HostGate } from "./gate-book.ts";

/** What takes longer is slow: it earns no room, and a probe does not keep others waiting for it. */
export const QUICK_MS = 1_000;

/** Where a tenth of the slots is less: as many hanging probes do not keep others waiting. */
const MOST_PROBES_OF_FEW = 5;

/** Parts of the lane's slots. */
export interface Rooms {
  /** A tenth: what the applications of a host have together before they earn more, and what all unknown ones have. */
  readonly least: number;
  /** Half: what a host has at most. */
  readonly most: number;
  /** What one of several applications of a host has at most: the rest of the half stays free for the others. */
  readonly mostOfOne: number;
}

export function roomsOf(concurrency: number): Rooms {
  const most = Math.max(1, Math.floor(concurrency / 2));
  return {
    least: Math.max(1, Math.floor(concurrency / 10)),
    most,
    mostOfOne: Math.max(1, Math.floor((most * 3) / 4)),
  };
}

/** How many more the application may have, whatever the others of its host have. */
export function leftOf(gate: Gate, rooms: Rooms, nowMs: number): number {
  const state = stateOf(gate.breaker, nowMs);
  if (state === "open") return 0;
  if (state === "half-open") return gate.breaker.probes === 0 ? 1 : 0;
  if (stateOf(gate.host.breaker, nowMs) !== "closed") return gate.hostProbes === 0 ? 1 : 0;
  return Math.max(0, roomOf(gate, rooms) - gate.inFlight);
}

/** How many more all applications of the host may have together. */
export function leftOfHost(host: HostGate, rooms: Rooms, nowMs: number): number {
  const state = stateOf(host.breaker, nowMs);
  if (state === "open") return 0;
  if (state === "half-open") return mayBeProbed(host, rooms, nowMs) ? 1 : 0;
  return Math.max(0, rooms.most - host.inFlight);
}

/** One at a time. But one that waits for its answer, maybe until its timeout, holds up the others for a second only. */
function mayBeProbed(host: HostGate, { least, most }: Rooms, nowMs: number): boolean {
  const { probes } = host.breaker;
  if (probes === 0) return true;
  const mostProbes = Math.min(most, Math.max(MOST_PROBES_OF_FEW, least));
  return probes < mostProbes && nowMs - host.probedAtMs >= QUICK_MS;
}

/**
 * What is not earned is shared by those that have deliveries on their way, so that a slow host keeps about a tenth
 * however many applications it has; each of them may have one all the same.
 */
function roomOf(gate: Gate, { least, most, mostOfOne }: Rooms): number {
  const { gates, busy } = gate.host;
  if (gates.size === 1) return Math.min(gate.room, most);
  const sharers = gate.inFlight > 0 ? busy : busy + 1;
  const shared = Math.max(1, Math.floor(least / sharers));
  return Math.min(shared + gate.room - least, mostOfOne);
}

interface Share {
  left: number;
}

/** For one claim. Costs nothing for applications that it is not asked about. */
export function createGateAllowance(book: GateBook, rooms: Rooms, nowMs: number): ClaimAllowance {
  const others: Share = { left: rooms.least };
  const shares = new Map<Gate | HostGate, Share>();

  function shareOf(of: Gate | HostGate): Share {
    const known = shares.get(of);
    if (known !== undefined) return known;
    const left = "gates" in of ? leftOfHost(of, rooms, nowMs) : leftOf(of, rooms, nowMs);
    const share: Share = { left };
    shares.set(of, share);
    return share;
  }

  function sharesOf(applicationId: number): readonly Share[] {
    const gate = book.find(applicationId);
    return gate === undefined ? [others] : [shareOf(gate), shareOf(gate.host)];
  }

  return {
    isClosed: (applicationId) => sharesOf(applicationId).some(({ left }) => left <= 0),
    take: (applicationId) => {
      const taken = sharesOf(applicationId);
      if (taken.some(({ left }) => left <= 0)) return false;
      for (const share of taken) share.left -= 1;
      return true;
    },
    probeTurn: (applicationId) => {
      const gate = book.find(applicationId);
      if (gate === undefined) return null;
      return stateOf(gate.host.breaker, nowMs) === "half-open" ? gate.probedAt : null;
    },
  };
}
