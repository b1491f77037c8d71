// Finds waiting tasks whose params do not fit the schema that their job has now.
import { createParamsChecker } from "../core/check-params.ts";
import { type FieldError, messageOf } from "../core/errors.ts";
import type { JobDefinition } from "../core/job.ts";
import { type JsonObject, readCall } from "../core/task-content.ts";
import type { Store } from "../store/store.ts";

/** A task whose next attempt will fail because of its params. */
export interface WaitingMisfit {
  readonly taskId: number;
  readonly taskNo: string;
  readonly errors: readonly FieldError[];
}

/** Looks at the first `limit` tasks that wait for the job. What only a job worker can check counts as fitting. */
export async function findMisfits(
  store: Pick<Store, "tasks">,
  definition: JobDefinition,
  limit: number,
): Promise<WaitingMisfit[]> {
  const names = [definition.name, ...definition.aliases];
  const check = createParamsChecker();
  const waiting = await store.tasks.waitingFor(names, limit);
  return waiting.flatMap(({ id, taskNo, content }) => {
    const errors = errorsOf(content, (params) => check(definition, params).errors);
    return errors.length === 0 ? [] : [{ taskId: id, taskNo, errors }];
  });
}

function errorsOf(
  content: string,
  check: (params: unknown) => readonly FieldError[],
): readonly FieldError[] {
  try {
    return check(readCall(JSON.parse(content) as JsonObject)?.params ?? {});
  } catch (thrown) {
    return [{ field: "content", message: messageOf(thrown) }];
  }
}
