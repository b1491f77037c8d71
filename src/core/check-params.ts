// Checks the params of a task against the JSON Schema that the catalogue keeps of its job.
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { AppError, type FieldError, messageOf } from "./errors.ts";
import type { JobDefinition } from "./job.ts";

type Schema = NonNullable<JobDefinition["params"]>;

/** Everything that is wrong with the params; empty when nothing is. Throws AppError `refused` for a schema that is none. */
export type CheckParams = (definition: JobDefinition, params: unknown) => readonly FieldError[];

const MAX_COMPILED = 500;
const MAX_ERRORS = 50;
const MAX_FIELD_LENGTH = 200;

/** A checker that compiles each schema once. */
export function createParamsChecker(): CheckParams {
  // By the schema's text, not by the hash of the job file: what a job file imports can change its schema too.
  const bySchema = new Map<string, ValidateFunction>();
  const byDefinition = new WeakMap<JobDefinition, ValidateFunction>();

  function validatorOf(definition: JobDefinition, schema: Schema): ValidateFunction {
    const known = byDefinition.get(definition);
    if (known !== undefined) return known;
    const text = JSON.stringify(schema);
    const validate = bySchema.get(text) ?? compile(definition.name, schema);
    if (bySchema.size >= MAX_COMPILED) bySchema.clear();
    bySchema.set(text, validate);
    byDefinition.set(definition, validate);
    return validate;
  }

  return (definition, params) => {
    if (definition.params === null) return [];
    const validate = validatorOf(definition, definition.params);
    if (validate(params)) return [];
    return fieldErrors(validate.errors ?? []);
  };
}

function compile(jobName: string, schema: Schema): ValidateFunction {
  // One instance per schema: two jobs may use the same $id. TypeBox writes keywords ajv's strict mode would refuse.
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, logger: false });
  try {
    return ajv.compile(schema);
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
