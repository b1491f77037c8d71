// Compiles one params schema twice: for event loops, metered and with linear patterns, and for a job worker, as it stands.
import {
  Ajv,
  type ErrorObject,
  type Options,
  type SchemaValidateFunction,
  type ValidateFunction,
} from "ajv";
import { createMeter, type Meter, NotHere } from "./check-meter.ts";
import { linearPattern } from "./linear-pattern.ts";
import { type Cost, METER, meteredSchema, type Schema } from "./metered-schema.ts";

export type ParamsVerdict =
  /** No errors: the params fit, as far as they were checked. */
  | { readonly kind: "checked"; readonly errors: readonly ErrorObject[]; readonly isWhole: boolean }
  /** It would take too long here, or needs a pattern that cannot be checked here. */
  | { readonly kind: "not here" };

export interface ParamsValidator {
  check(params: unknown): ParamsVerdict;
  /** Patterns that are checked elsewhere. */
  readonly unchecked: readonly string[];
}

/** 40 ms, on a machine that does nothing else. */
const FIRST_LOOK_UNITS = 4_000_000;
/** To find all errors and not only the first; with none of it there is still that one. */
const ALL_ERRORS_UNITS = 1_000_000;
/** For each character that is compared. */
const PER_COMPARED = 2;

// One instance per schema: two jobs may use the same $id. TypeBox writes keywords ajv's strict mode would refuse.
const OPTIONS: Options = { strict: false, validateFormats: false, logger: false };

/** For event loops: a check ends within some 50 ms, if need be without a verdict. Throws what ajv throws. */
export function createParamsValidator(schema: Schema): ParamsValidator {
  const meter = createMeter();
  const { schema: metered, unchecked } = meteredSchema(schema);
  const first = compileMetered(metered, meter, false);
  let all: ValidateFunction | undefined;

  function allErrors(params: unknown): readonly ErrorObject[] {
    const found = first.errors ?? [];
    all ??= compileMetered(metered, meter, true);
    const validate = all;
    meter.reset(ALL_ERRORS_UNITS);
    return attempt(() => validate(params)) === undefined ? found : (validate.errors ?? found);
  }

  return {
    unchecked,
    check(params) {
      meter.reset(FIRST_LOOK_UNITS);
      const isRight = attempt(() => first(params));
      if (isRight === undefined) return { kind: "not here" };
      const isWhole = unchecked.length === 0;
      return { kind: "checked", errors: isRight ? [] : allErrors(params), isWhole };
    },
  };
}

/** For where it may take as long as it takes: everything, with the runtime's own patterns. */
export function validateWhole(schema: Schema, params: unknown): readonly ErrorObject[] {
  const validate = compileSync(new Ajv({ ...OPTIONS, allErrors: true }), schema);
  return validate(params) ? [] : (validate.errors ?? []);
}

function compileMetered(schema: Schema, meter: Meter, allErrors: boolean): ValidateFunction {
  const regExp = Object.assign((pattern: string) => meteredPattern(pattern, meter), { code: "" });
  const ajv = new Ajv({ ...OPTIONS, allErrors, code: { regExp } });
  ajv.addKeyword({
    keyword: METER,
    schemaType: "object",
    errors: false,
    validate: (cost: Cost, data: unknown) => spendOn(data, cost, meter),
  });
  // Ajv compares each item with each other one.
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    validate: uniqueItems(meter),
  });
  // Ajv checks the schema itself too, which is not on the meter.
  meter.reset(Number.POSITIVE_INFINITY);
  return compileSync(ajv, schema);
}

/** What ajv makes of a root with `$async` returns a promise: nobody would await it, and its rejection ends a process. */
function compileSync(ajv: Ajv, schema: Schema): ValidateFunction {
  const validate = ajv.compile(schema);
  if ("$async" in validate) throw new Error("a schema with $async cannot be used: remove $async");
  return validate;
}

function attempt(check: () => unknown): boolean | undefined {
  try {
    return check() === true;
  } catch (thrown) {
    if (thrown instanceof NotHere) return;
    throw thrown;
  }
}

/** `toString` is by what ajv tells patterns apart. */
function meteredPattern(pattern: string, meter: Meter) {
  const linear = linearPattern(pattern);
  return {
    test: (text: string) => {
      if (linear === null) throw new NotHere("the pattern cannot be checked here");
      meter.spend(linear.unitsFor(text.length));
      return linear.test(text);
    },
    toString: () => pattern,
  };
}

function spendOn(data: unknown, { base, perKey, perCharacter }: Cost, meter: Meter): true {
  meter.spend(base);
  if (typeof data === "string") meter.spend(perCharacter * data.length);
  if (perKey > 0 && typeof data === "object" && data !== null && !Array.isArray(data)) {
    meter.spend(perKey * Object.keys(data).length);
  }
  return true;
}

function uniqueItems(meter: Meter): SchemaValidateFunction {
  const validate: SchemaValidateFunction = (isAsked: boolean, items: readonly unknown[]) => {
    const pair = isAsked ? equalPair(items, meter) : undefined;
    if (pair === undefined) return true;
    const message = `must NOT have duplicate items (items ## ${pair.j} and ${pair.i} are identical)`;
    validate.errors = [{ keyword: "uniqueItems", message, params: pair }];
    return false;
  };
  return validate;
}

function equalPair(items: readonly unknown[], meter: Meter) {
  const seen = new Map<string, number>();
  for (const [i, item] of items.entries()) {
    const text = sortedText(item);
    meter.spend(PER_COMPARED * text.length + 10);
    const j = seen.get(text);
    if (j !== undefined) return { i, j };
    seen.set(text, i);
  }
  return;
}

/** Equal for equal values, whatever the order of their keys. */
function sortedText(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(sortedText).join(",")}]`;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${sortedText(part)}`).join(",")}}`;
}
