// Keeps the leases of a consumer's attempts alive, hears cancel requests, and stops what can no longer prove its right.

import { every } from "../core/every.ts";
import { failpoint } from "../core/failpoints.ts";
import type { Logger } from "../core/logger.ts";
import type { LeaseReference, RenewedLease, Store } from "../store/store.ts";
import type { OwnedAttempt } from "./attempt-table.ts";

/** An attempt stops itself this long before its lease ends, so that it is dead before anybody else may claim. */
const MARGIN_MS = 1000;
const CANCEL_POLL_MS = 500;
const GUARD_MS = 200;

export interface LeaseKeeperDeps {
  readonly store: Pick<Store, "tasks">;
  readonly leaseMs: number;
  readonly logger: Logger;
  readonly owned: () => readonly OwnedAttempt[];
}

/** Starts keeping; the returned function stops it, and resolves when no statement of it is under way. */
export function keepLeases(deps: LeaseKeeperDeps): () => Promise<void> {
  const stops = [
    every(deps.leaseMs / 3, () => renewAll(deps), deps.logger),
    every(CANCEL_POLL_MS, () => hearCancels(deps), deps.logger),
    every(GUARD_MS, () => stopExpiring(deps), deps.logger),
  ];
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

async function renewAll(deps: LeaseKeeperDeps): Promise<void> {
  const asked = deps.owned().filter((owned) => !owned.written);
  if (asked.length === 0) return;
  const sentAt = performance.now();
  const renewed = await deps.store.tasks.renew(
    asked.map((owned) => owned.lease),
    deps.leaseMs,
  );
  failpoint("lease-renewed");
  const byTask = new Map(renewed.map((lease) => [lease.taskId, lease]));
  for (const owned of asked)
    applyRenewal(owned, byTask.get(owned.lease.taskId), { sentAt, ...deps });
}

function applyRenewal(
  owned: OwnedAttempt,
  renewed: RenewedLease | undefined,
  { sentAt, leaseMs, logger }: LeaseKeeperDeps & { readonly sentAt: number },
): void {
  if (owned.written) return;
  if (renewed === undefined) {
    // Its end is on its way, or was written by a turn whose answer was lost: the next turn will know.
    if (owned.end !== undefined) return;
    logger.warn(leaseFields(owned), "lease lost: the attempt is stopped");
    owned.running.stop("interrupt", { why: "its lease was lost: the task was taken over" });
    return;
  }
  owned.validUntil = sentAt + leaseMs;
  owned.running.lease?.(owned.validUntil - performance.now());
  if (renewed.cancelRequested) owned.running.stop("cancel", { graceMs: renewed.graceMs });
}

async function hearCancels(deps: LeaseKeeperDeps): Promise<void> {
  const running = deps.owned().filter((owned) => owned.end === undefined);
  if (running.length === 0) return;
  const asked: readonly LeaseReference[] = running.map((owned) => owned.lease);
  const cancelled = await deps.store.tasks.cancelRequests(asked);
  const graces = new Map(cancelled.map(({ taskId, graceMs }) => [taskId, graceMs]));
  for (const owned of running) {
    const graceMs = graces.get(owned.lease.taskId);
    if (graceMs !== undefined) owned.running.stop("cancel", { graceMs });
  }
}

function stopExpiring(deps: LeaseKeeperDeps): void {
  const limit = performance.now() + MARGIN_MS;
  for (const owned of deps.owned()) {
    if (owned.end !== undefined || owned.validUntil > limit) continue;
    deps.logger.warn(
      leaseFields(owned),
      "the lease could not be renewed in time: the attempt stops itself",
    );
    owned.running.stop("interrupt", { why: "its lease could not be renewed in time" });
  }
}

/** The fields every log line about an attempt carries. */
export function leaseFields(owned: OwnedAttempt): { task_id: number; attempt: number } {
  return { task_id: owned.lease.taskId, attempt: owned.running.task.attempt };
}
