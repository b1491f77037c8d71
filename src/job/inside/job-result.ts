// Turns what a job returned into JSON text, or says why it cannot.
import { Buffer } from "node:buffer";
import { toJsonWith } from "../wire/intrinsics.ts";

const MAX_RESULT_BYTES = 1_048_576;

/** A result that cannot be kept; `code` becomes the error's reason. */
class ResultError extends Error {
  override readonly name = "ResultError";
  readonly code: string;

  constructor(message: string, options: { readonly code: string; readonly cause?: unknown }) {
    super(message, options);
    this.code = options.code;
  }
}

/** JSON text of at most 1 MiB; undefined is null. Throws for what JSON would lose or refuse. */
export function resultText(result: unknown): string {
  const text = stringify(result) ?? "null";
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_RESULT_BYTES) return text;
  const message = `the result is ${bytes} bytes of JSON, allowed are ${MAX_RESULT_BYTES}`;
  throw new ResultError(message, { code: "result_too_large" });
}

function stringify(result: unknown): string | undefined {
  try {
    return toJsonWith(result, refuseUnsayable);
  } catch (thrown) {
    if (thrown instanceof ResultError) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const message = `the result is not JSON: ${why}`;
    throw new ResultError(message, { code: "result_not_json", cause: thrown });
  }
}

/** JSON would drop functions and symbols without a word. */
function refuseUnsayable(key: string, value: unknown): unknown {
  const type = typeof value;
  if (type !== "function" && type !== "symbol" && type !== "bigint") return value;
  const place = key === "" ? "the result" : `'${key}' in the result`;
  const message = `${place} is a ${type}, which JSON cannot carry`;
  throw new ResultError(message, { code: "result_not_json" });
}
