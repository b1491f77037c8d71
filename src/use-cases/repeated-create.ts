// Says in what a create differs from the one that took its taskNo first, as far as the stored task tells.
import canonicalize from "canonicalize";
import { AppError } from "../core/errors.ts";
import { type CreateField, requestDigests } from "../core/same-request.ts";
import type { NewTask, Task } from "../core/task.ts";
import { readContent } from "../core/task-content.ts";

/** The text of the original API, word for word. */
const REPEATED = "请勿重复提交!";

/** What a repetition is refused with: the task that has the taskNo, and the fields in which the two differ. */
export function repeatedCreate(stored: Task, asked: NewTask): AppError {
  const data = { taskId: stored.id, differs: differingFields(stored, asked) };
  return new AppError("refused", REPEATED, { data });
}

/**
 * Never empty. What a task keeps is less than what was sent: a timeout is cut to the job's own, a retry policy is
 * completed, and the runtime moves with each retry. Where all that was kept is equal, the likeliest of those is named.
 */
function differingFields(stored: Task, asked: NewTask): CreateField[] {
  const isMoved = stored.attempt > 1 || stored.life > 1;
  const isSameStart = runtimeOf(stored) === asked.runAt;
  const differences: Readonly<Record<CreateField, boolean>> = {
    name: stored.name !== asked.name,
    content: !isSameContent(stored.content, asked.content),
    timeout: stored.timeoutMs !== asked.timeoutMs,
    runtime: !isMoved && !isSameStart,
    retry: canonicalize(stored.retry) !== canonicalize(asked.retry),
  };
  const fields = (Object.keys(differences) as CreateField[]).filter((it) => differences[it]);
  if (fields.length > 0) return fields;
  return isMoved && !isSameStart ? ["runtime"] : ["timeout", "retry"];
}

/** Null as in a create without one: then it was due when it was created. */
function runtimeOf({ runAt, createdAt }: Task): number | null {
  return runAt === createdAt ? null : runAt;
}

/** The order of keys makes no difference to a repetition, the last digit of a large number does. */
function isSameContent(one: string, other: string): boolean {
  return one === other || digestOf(one) === digestOf(other);
}

function digestOf(text: string): string {
  const parts = { name: "", timeout: 0, content: readContent(text) };
  return requestDigests(parts, "UTC").exactDigest;
}
