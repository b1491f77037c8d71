// Knows a gate per host and one per application there: whose deliveries go where, and what came of them.
import { type Breaker, newBreaker } from "./breaker.ts";

/** What all applications of a host have in common. */
export interface HostGate {
  /** `name:port`. */
  readonly host: string;
  readonly gates: Map<number, Gate>;
  /** Of what no application is to blame for. */
  readonly breaker: Breaker;
  /** Applications that heard nothing since anybody was answered last. */
  readonly silentFor: Set<number>;
  inFlight: number;
  /** How many of its applications have deliveries on their way. */
  busy: number;
  /** Epoch ms of the last probe. */
  probedAtMs: number;
}

/** An application at its host. */
export interface Gate {
  readonly applicationId: number;
  readonly appKey: string;
  readonly host: HostGate;
  readonly breaker: Breaker;
  inFlight: number;
  /** Most deliveries at once: grows with quick answers. */
  room: number;
  /** Its last failure was one the host is to blame for. */
  isSilent: boolean;
  /** Probes of its host that are on their way. */
  hostProbes: number;
  /** When it probed its host last, in the order of all probes; 0: never. */
  probedAt: number;
  usedAt: number;
}

/** The host and application of a delivery. */
export interface GateOwner {
  readonly id: number;
  readonly appKey: string;
}

export interface GateBook {
  /** The application's gate at its host, as the one used last. An application has one host. */
  use(host: string, owner: GateOwner): Gate;
  find(applicationId: number): Gate | undefined;
  hosts(): Iterable<HostGate>;
  /** To be called when a gate's breaker or deliveries changed. */
  note(gate: Gate): void;
  /** Gates with deliveries on their way: never more than there are slots. */
  busy(): Iterable<Gate>;
  /** Some breaker is not closed. */
  hasShut(): boolean;
  /** Forgets what nobody used for long. */
  forget(): void;
}

export interface GateBookOptions {
  /** Epoch ms. */
  readonly nowMs: () => number;
  readonly firstRoom: number;
  readonly mostGates: number;
}

/** A gate that nobody used for so long is forgotten. */
const FORGET_MS = 600_000;
const FORGET_EVERY_MS = 60_000;
/** When there are too many, a closed one among the so many oldest goes rather than the oldest: it knows less. */
const LOOKED_AT = 64;

export function createGateBook({ nowMs, firstRoom, mostGates }: GateBookOptions): GateBook {
  const hosts = new Map<string, HostGate>();
  /** The one used last comes last. */
  const gates = new Map<number, Gate>();
  const busy = new Set<Gate>();
  const shut = new Set<Gate | HostGate>();
  let forgotAt = nowMs();

  function use(host: string, owner: GateOwner): Gate {
    const known = gates.get(owner.id);
    if (known !== undefined && known.host.host !== host) drop(known);
    const found = gates.get(owner.id);
    if (found === undefined && gates.size >= mostGates) evict();
    const gate = found ?? newGate(hostGateOf(host), owner);
    gates.delete(owner.id);
    gates.set(owner.id, gate);
    gate.usedAt = nowMs();
    return gate;
  }

  function hostGateOf(host: string): HostGate {
    const known = hosts.get(host);
    if (known !== undefined) return known;
    const fresh = { host, gates: new Map(), breaker: newBreaker(), silentFor: new Set<number>() };
    const hostGate: HostGate = { ...fresh, inFlight: 0, busy: 0, probedAtMs: 0 };
    hosts.set(host, hostGate);
    return hostGate;
  }

  function newGate(host: HostGate, { id, appKey }: GateOwner): Gate {
    const known = { applicationId: id, appKey, host, breaker: newBreaker() };
    const fresh = {
      inFlight: 0,
      room: firstRoom,
      isSilent: false,
      hostProbes: 0,
      probedAt: 0,
      usedAt: nowMs(),
    };
    const gate: Gate = { ...known, ...fresh };
    host.gates.set(id, gate);
    return gate;
  }

  function drop(gate: Gate): void {
    const { host, applicationId } = gate;
    gates.delete(applicationId);
    busy.delete(gate);
    shut.delete(gate);
    host.gates.delete(applicationId);
    host.silentFor.delete(applicationId);
    if (host.gates.size > 0) return;
    shut.delete(host);
    hosts.delete(host.host);
  }

  /** An application has one gate, so that none can push out more than one of the others'. */
  function evict(): void {
    const idle = oldestIdle();
    const least = idle.find(({ breaker }) => breaker.openUntil === null) ?? idle[0];
    if (least !== undefined) drop(least);
  }

  function oldestIdle(): Gate[] {
    const idle: Gate[] = [];
    for (const gate of gates.values()) {
      if (gate.inFlight === 0) idle.push(gate);
      if (idle.length === LOOKED_AT) break;
    }
    return idle;
  }

  function note(gate: Gate): void {
    const { host } = gate;
    // An application may have moved to another host while a delivery of it was on its way to this one.
    const isHostKnown = hosts.get(host.host) === host;
    if (isHostKnown) setIf<Gate | HostGate>(shut, host, host.breaker.openUntil !== null);
    if (gates.get(gate.applicationId) !== gate) return;
    setIf(busy, gate, gate.inFlight > 0);
    setIf<Gate | HostGate>(shut, gate, gate.breaker.openUntil !== null);
  }

  function forget(): void {
    if (nowMs() - forgotAt < FORGET_EVERY_MS) return;
    forgotAt = nowMs();
    for (const gate of gates.values()) {
      if (gate.inFlight === 0 && nowMs() - gate.usedAt > FORGET_MS) drop(gate);
    }
  }

  return {
    use,
    find: (applicationId) => gates.get(applicationId),
    hosts: () => hosts.values(),
    note,
    busy: () => busy,
    hasShut: () => shut.size > 0,
    forget,
  };
}

function setIf<Item>(set: Set<Item>, item: Item, isIn: boolean): void {
  if (isIn) set.add(item);
  else set.delete(item);
}
