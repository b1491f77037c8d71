// A consumer's turn: its finished attempts are written and due tasks are claimed, in one transaction.
import type { Lane } from "../core/task.ts";
import { inHalves } from "./batches.ts";
import { claimDue } from "./claim.ts";
import type { Database, Dialect } from "./dialect.ts";
import { type DueSummary, dueJobs, nextDueInMs, readDueSummary } from "./due.ts";
import { isAboutRows } from "./failures.ts";
import { firstRound, type Round } from "./fair-shares.ts";
import { isHuge, withoutContent, writeFinishes } from "./finish.ts";
import type { ClaimRequest, Finish, LeaseReference, TurnResult } from "./store.ts";

export interface Turns {
  turn(finishes: readonly Finish[], claim: ClaimRequest | null): Promise<TurnResult>;
  settle(finishes: readonly Finish[], onlyExpired: boolean): Promise<LeaseReference[]>;
}

/** Keeps between turns only where the round of the applications stands, per lane. */
export function createTurns(database: Database): Turns {
  const { dialect } = database;
  const rounds = new Map<Lane, Round>();

  const finishAndClaim = (
    finishes: readonly Finish[],
    claim: ClaimRequest | null,
    summary?: DueSummary,
  ): Promise<TurnResult> =>
    database.write(async (session) => {
      const finished = await writeFinishes(session, finishes);
      if (claim === null) return { ...nothing, finished };
      const round = rounds.get(claim.lane) ?? firstRound;
      const claimed = await claimDue(session, claim, { round, summary });
      rounds.set(claim.lane, claimed.round);
      return { finished, claimed: claimed.tasks, ...outlook(claimed.summary) };
    });

  /** Without anything to do it costs one read and no transaction: an idle consumer asks every second. */
  const claimOnly = async (claim: ClaimRequest | null): Promise<TurnResult> => {
    if (claim === null) return nothing;
    const summary = await database.read((session) => readDueSummary(session, claim));
    const hasSlots = claim.coroutineIds.length > 0;
    if (!hasSlots || dueJobs(summary).length === 0) return { ...nothing, ...outlook(summary) };
    return finishAndClaim([], claim, summary);
  };

  const settle: Turns["settle"] = async (finishes, onlyExpired) => {
    const some = (these: readonly Finish[]) =>
      database.write((session) => writeFinishes(session, these, onlyExpired));
    const written = await inHalves<Finish, LeaseReference[]>(finishes.map(withoutHuge), {
      failures: dialect.failures,
      // The references do not belong to single rows here: one result holds them all.
      all: async (these) => [await some(these)],
      guilty: (finish, cause) => settleGuilty(some, withoutContent(finish, cause), dialect),
    });
    return written.flat();
  };

  return {
    settle: async (finishes, onlyExpired) =>
      finishes.length === 0 ? [] : settle(finishes, onlyExpired),
    turn: async (finishes, claim) => {
      if (finishes.length === 0) return claimOnly(claim);
      try {
        return await finishAndClaim(finishes.map(withoutHuge), claim);
      } catch (thrown) {
        if (!isAboutRows(thrown, dialect)) throw thrown;
        // One end was refused: the others must not wait for it, and it must not be lost.
        const finished = await settle(finishes, false);
        return { ...(await claimOnly(claim)), finished };
      }
    },
  };
}

type Settle = (finishes: readonly Finish[]) => Promise<LeaseReference[]>;

/** Refused even with a short error it counts as not written, like a stale one: its lease ends, and it is reaped. */
async function settleGuilty(
  settle: Settle,
  finish: Finish,
  dialect: Dialect,
): Promise<LeaseReference[]> {
  try {
    return await settle([finish]);
  } catch (thrown) {
    if (!isAboutRows(thrown, dialect)) throw thrown;
    return [];
  }
}

const nothing: TurnResult = { finished: [], claimed: [], moreDue: false, nextDueInMs: null };

function outlook(summary: DueSummary): Pick<TurnResult, "moreDue" | "nextDueInMs"> {
  return { moreDue: dueJobs(summary).length > 0, nextDueInMs: nextDueInMs(summary) };
}

function withoutHuge(finish: Finish): Finish {
  if (!isHuge(finish)) return finish;
  return withoutContent(finish, new Error("it is larger than 4 MiB"));
}
