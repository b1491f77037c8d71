// Names a callback for receivers that take each one once: the same for all attempts of a life, and never used again.
import { randomBytes } from "node:crypto";
import type { ClaimedTask } from "./task.ts";

const TAG_BYTES = 16;

/** 128 random bits: a database that was restored from an older copy counts its ids again, but draws no tag again. */
export function newWebhookTag(): string {
  return randomBytes(TAG_BYTES).toString("hex");
}

/** `msg_…_<life>`. A task without a tag was created by a program that knew none. */
export function webhookId({
  taskId,
  webhookTag,
  life,
}: Pick<ClaimedTask, "taskId" | "webhookTag" | "life">): string {
  return `msg_${webhookTag ?? taskId}_${life}`;
}
