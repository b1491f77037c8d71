// The error of an attempt whose params do not fit its job, wherever they were checked.
import { errorLine, type FieldError } from "../../core/errors.ts";

/** No retry can help then. */
export const MISFIT_REASON = "params_invalid";

export function misfitText(errors: readonly FieldError[]): string {
  return `the params do not fit the job: ${errorLine(errors)}`;
}
