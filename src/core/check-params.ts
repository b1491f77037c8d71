// Checks the params of a task against the JSON Schema that the catalogue keeps of its job, never for long.
import type { ErrorObject } from "ajv";
import { AppError, type FieldError, messageOf } from "./errors.ts";
import type { JobDefinition } from "./job.ts";
import {
  createParamsValidator,
  type ParamsValidator,
  type ParamsVerdict,
  validateWhole,
} from "./params-validator.ts";
import { remember } from "./remember.ts";
import { isEmptyList, type ParamsField } from "./task-content.ts";

type Schema = NonNullable<JobDefinition["params"]>;

export interface CheckedParams {
  /** Everything that is wrong with the params, as far as it was looked for; empty when nothing is. */
  readonly errors: readonly FieldError[];
  /** False: the rest is to be checked in the job worker, where it may take long. */
  readonly isWhole: boolean;
  /** What the job gets in their place: with {} for PHP's empty arrays where the schema asks for an object. */
  readonly meant?: unknown;
}

/** `field` is where the params were. Throws AppError `refused` for a schema that is none. */
export type CheckParams = (
  definition: JobDefinition,
  params: unknown,
  field?: ParamsField,
) => CheckedParams;

const MAX_COMPILED = 500;
const MAX_ERRORS = 50;
const MAX_FIELD_LENGTH = 200;

/** A checker that compiles each schema once. */
export function createParamsChecker(): CheckParams {
  // By the schema's text, not by the hash of the job file: what a job file imports can change its schema too.
  const bySchema = remember(
    (text: string, jobName: string) => compile(jobName, JSON.parse(text) as Schema),
    MAX_COMPILED,
  );
  const byDefinition = new WeakMap<JobDefinition, ParamsValidator>();

  function validatorOf(definition: JobDefinition, schema: Schema): ParamsValidator {
    const known = byDefinition.get(definition);
    if (known !== undefined) return known;
    const validator = bySchema(JSON.stringify(schema), definition.name);
    byDefinition.set(definition, validator);
    return validator;
  }

  return (definition, params, field = "params") => {
    if (definition.params === null) return { errors: [], isWhole: true };
    const validator = validatorOf(definition, definition.params);
    const verdict = validator.check(params);
    const meant = asMeant(params, verdict);
    if (meant === undefined) return checkedParams(verdict, field);
    return { ...checkedParams(validator.check(meant), field), meant };
  };
}

/** Everything that is wrong, for as long as it takes: for a job worker alone. */
export function checkWhole(
  schema: Schema,
  params: unknown,
  field: ParamsField = "params",
): readonly FieldError[] {
  return fieldErrors(validateWhole(schema, params), field);
}

/** The patterns of a job's schema that only its job worker can check. Throws AppError `refused`. */
export function patternsCheckedLate({ name, params }: JobDefinition): readonly string[] {
  return params === null ? [] : compile(name, params).unchecked;
}

function checkedParams(verdict: ParamsVerdict, field: ParamsField): CheckedParams {
  if (verdict.kind === "not here") return { errors: [], isWhole: false };
  return { errors: fieldErrors(verdict.errors, field), isWhole: verdict.isWhole };
}

/** The params with {} for each empty list that the schema refuses because it wants an object; undefined without one. */
function asMeant(params: unknown, verdict: ParamsVerdict): unknown {
  if (verdict.kind === "not here") return undefined;
  const paths = verdict.errors
    .filter(({ keyword, params: { type } }) => keyword === "type" && type === "object")
    .map(stepsOf)
    .filter((steps) => isEmptyList(valueAt(params, steps)));
  if (paths.length === 0) return undefined;
  const copy: unknown = structuredClone(params);
  return paths.reduce((whole, steps) => putObject(whole, steps), copy);
}

function valueAt(params: unknown, steps: readonly string[]): unknown {
  return steps.reduce((value, step) => (value as Readonly<Record<string, unknown>>)[step], params);
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

/** Puts {} at a place of a value, and returns the value. */
function putObject(whole: unknown, steps: readonly string[]): unknown {
  const last = steps.at(-1);
  if (last === undefined) return {};
  // Not by assignment: a key may be called __proto__.
  const property = { value: {}, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(valueAt(whole, steps.slice(0, -1)), last, property);
  return whole;
}

function fieldErrors(errors: readonly ErrorObject[], field: ParamsField): readonly FieldError[] {
  const byText = new Map<string, FieldError>();
  for (const error of errors.slice(0, MAX_ERRORS)) {
    const found = { field: fieldOf(error, field), message: textOf(error) };
    byText.set(`${found.field} ${found.message}`, found);
  }
  return [...byText.values()];
}

/** `/a/0` and a missing `b` → `content.params.a.0.b`. */
function fieldOf(error: ErrorObject, field: ParamsField): string {
  const steps = stepsOf(error);
  const { missingProperty, additionalProperty } = error.params as Readonly<Record<string, unknown>>;
  for (const key of [missingProperty, additionalProperty]) {
    if (typeof key === "string") steps.push(key);
  }
  return ["content", field, ...steps].join(".").slice(0, MAX_FIELD_LENGTH);
}

/** Where it is in the params. */
function stepsOf({ instancePath }: ErrorObject): string[] {
  return instancePath.split("/").slice(1).map(unescapeStep);
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
