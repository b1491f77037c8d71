// Checks params in the job worker, where a check may take as long as its attempt may: what no event loop should do.
import { checkWhole } from "../../core/check-params.ts";
import type { ParamsField } from "../../core/task-content.ts";
import { misfitText } from "../wire/misfit.ts";

/** What is wrong with the params, as the attempt's error says it; null when nothing is. */
export function lateProblem(schema: object, params: unknown, field: ParamsField): string | null {
  // As the catalogue has it: TypeBox keeps more in a schema than JSON can say.
  const plain = JSON.parse(JSON.stringify(schema)) as Readonly<Record<string, unknown>>;
  const errors = checkWhole(plain, params, field);
  return errors.length === 0 ? null : misfitText(errors);
}
