// Checks the params of a task against the JSON Schema that the catalogue keeps of its job, never for long.
import type { ErrorObject } from "ajv";
import { AppError, type FieldError, messageOf } from "./errors.ts";
import type { JobDefinition } from "./job.ts";
import {
  createParamsValidator,
  type ParamsValidator,
  type Verdict,
  validateWhole,
} from "./params-validator.ts";

type Schema = NonNullable<JobDefinition["params"]>;

export interface CheckedParams {
  /** Everything that is wrong with the params, as far as it was looked for; empty when nothing is. */
  readonly errors: readonly FieldError[];
  /** False: the rest is to be checked in the job worker, where it may take long. */
  readonly isWhole: boolean;
}

/** Throws AppError `refused` for a schema that is none. */
export type CheckParams = (definition: JobDefinition, params: unknown) => CheckedParams;

const MAX_COMPILED = 500;
const MAX_ERRORS = 50;
const MAX_FIELD_LENGTH = 200;

/** A checker that compiles each schema once. */
export function createParamsChecker(): CheckParams {
  // By the schema's text, not by the hash of the job file: what a job file imports can change its schema too.
  const bySchema = new Map<string, ParamsValidator>();
  const byDefinition = new WeakMap<JobDefinition, ParamsValidator>();

  function validatorOf(definition: JobDefinition, schema: Schema): ParamsValidator {
    const known = byDefinition.get(definition);
    if (known !== undefined) return known;
    const text = JSON.stringify(schema);
    const validator = bySchema.get(text) ?? compile(definition.name, schema);
    if (bySchema.size >= MAX_COMPILED) bySchema.clear();
    bySchema.set(text, validator);
    byDefinition.set(definition, validator);
    return validator;
  }

  return (definition, params) => {
    if (definition.params === null) return { errors: [], isWhole: true };
    return checkedParams(validatorOf(definition, definition.params).check(params));
  };
}

/** Everything that is wrong, for as long as it takes: for a job worker alone. */
export function checkWhole(schema: Schema, params: unknown): readonly FieldError[] {
  return fieldErrors(validateWhole(schema, params));
}

/** The patterns of a job's schema that only its job worker can check. Throws AppError `refused`. */
export function patternsCheckedLate({ name, params }: JobDefinition): readonly string[] {
  return params === null ? [] : compile(name, params).unchecked;
}

function checkedParams(verdict: Verdict): CheckedParams {
  if (verdict.kind === "not here") return { errors: [], isWhole: false };
  return { errors: fieldErrors(verdict.errors), isWhole: verdict.isWhole };
}

function compile(jobName: string, schema: Schema): ParamsValidator {
  try {
    return createParamsValidator(schema);
  } catch (cause) {
    throw badSchema(jobName, cause);
  }
}

function badSchema(jobName: string, cause: unknown): AppError {
  const message = `the params of job '${jobName}' cannot be checked: ${messageOf(cause)}`;
  return new AppError("refused", message, { cause });
}

function fieldErrors(errors: readonly ErrorObject[]): readonly FieldError[] {
  const byText = new Map<string, FieldError>();
  for (const error of errors.slice(0, MAX_ERRORS)) {
    const found = { field: fieldOf(error), message: textOf(error) };
    byText.set(`${found.field} ${found.message}`, found);
  }
  return [...byText.values()];
}

/** `/a/0` and a missing `b` → `content.params.a.0.b`. */
function fieldOf(error: ErrorObject): string {
  const steps = error.instancePath.split("/").slice(1).map(unescapeStep);
  const { missingProperty, additionalProperty } = error.params as Readonly<Record<string, unknown>>;
  for (const key of [missingProperty, additionalProperty]) {
    if (typeof key === "string") steps.push(key);
  }
  return ["content.params", ...steps].join(".").slice(0, MAX_FIELD_LENGTH);
}

function unescapeStep(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

function textOf(error: ErrorObject): string {
  const params = error.params as Readonly<Record<string, unknown>>;
  if (error.keyword === "required") return "is required";
  if (error.keyword === "additionalProperties") return "is not known";
  if (error.keyword === "enum") return `must be one of ${JSON.stringify(params["allowedValues"])}`;
  if (error.keyword === "const") return `must be ${JSON.stringify(params["allowedValue"])}`;
  return error.message ?? "is not allowed";
}
