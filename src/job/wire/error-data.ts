// Turns whatever was thrown into data of bounded size, by hand: posting an error loses its cause and its code.

import type { AttemptError, InnerError } from "../../core/attempt.ts";
import { SECRET_KEY } from "../../core/secret-keys.ts";
import { FINAL_MARK } from "../../sdk/errors.ts";
import { cut } from "./cut-text.ts";
import { type NamedMessage, stackText } from "./error-stack.ts";
import { toJson } from "./intrinsics.ts";
import {
  attempt,
  isErrorLike,
  isObject,
  ownNames,
  ownProperty,
  property,
  textOf,
} from "./read-thrown.ts";
import { shownValue } from "./shown-values.ts";

const MAX_NAME = 200;
const MAX_MESSAGE = 4_096;
const MAX_INNER = 10;
const MAX_INNER_MESSAGE = 500;
/** Bytes of JSON: of one field, of all, and of all of an inner error. */
const MAX_FIELD = 500;
const MAX_FIELDS = 2_000;
const MAX_INNER_FIELDS = 400;
const MOST_FIELDS = 20;
/** Also looked for where a class has them as getters; they come first, so that they are never cut. */
const TELLING = ["code", "errno", "syscall", "status", "statusCode", "type", "kind"];
/** NamedMessage elsewhere. */
const TOLD = ["name", "message", "stack", "cause"];
/** Where an engine made the error. */
const PLACES = ["line", "column", "sourceURL", "originalLine", "originalColumn"];

/**
 * Never throws, whatever the thrown thing does when it is read.
 * @param secret finds the keys of fields whose values are not to be shown
 */
export function errorData(thrown: unknown, secret: RegExp = SECRET_KEY): AttemptError {
  const unreadable = { name: "Error", message: "thrown: something that cannot be read" };
  return attempt(() => dataOf(thrown, secret), unreadable);
}

/** An error of the platform about a job, with the word by which programs know it. */
export function platformError(reason: string, message: string, final = false): AttemptError {
  const error = { name: "JobError", message: cut(message, MAX_MESSAGE), reason };
  return final ? { ...error, final } : error;
}

function dataOf(thrown: unknown, secret: RegExp): AttemptError {
  const inner = innerErrors(thrown);
  const isError = isErrorLike(thrown);
  const hasCause = property(thrown, "cause") != null;
  const { name, message } = nameAndMessage(thrown);
  const reason = textOf(thrown, "code");
  const fields = fieldsOf(thrown, { secret, room: MAX_FIELDS, isInner: inner.length > 0 });
  return {
    name,
    message: cut(message === "" ? inner.map(oneLine).join("; ") : message, MAX_MESSAGE),
    ...(isError || hasCause ? { stack: stackText(thrown, { nameAndMessage, inner }) } : {}),
    ...(reason !== undefined && /^[\w.-]{1,64}$/.test(reason) ? { reason } : {}),
    ...(isFinal(thrown) ? { final: true } : {}),
    ...(fields === null ? {} : { fields }),
    ...(inner.length === 0 ? {} : { errors: inner.slice(0, MAX_INNER).map(innerData(secret)) }),
    ...(isError ? {} : { thrown: thrown === null ? "null" : typeof thrown }),
  };
}

function nameAndMessage(thrown: unknown): NamedMessage {
  const message = property(thrown, "message");
  if (typeof message === "string" && (message !== "" || isErrorLike(thrown))) {
    return { name: nameOf(thrown), message };
  }
  const said = isErrorLike(thrown) ? message : thrown;
  return { name: nameOf(thrown), message: `thrown: ${describe(said)}` };
}

function oneLine(thrown: unknown): string {
  const { name, message } = nameAndMessage(thrown);
  return `${name}: ${cut(message, MAX_INNER_MESSAGE)}`;
}

/** A class that does not set the name of its errors is named all the same. */
function nameOf(thrown: unknown): string {
  const name = textOf(thrown, "name");
  if (typeof thrown === "function") return "Error";
  if (name !== undefined && name !== "Error") return cut(name, MAX_NAME);
  const ofClass = textOf(property(thrown, "constructor"), "name");
  return ofClass === undefined || ofClass === "Object" ? "Error" : cut(ofClass, MAX_NAME);
}

function describe(value: unknown): string {
  if (typeof value === "string") return value;
  const shown = shownValue(value, MAX_MESSAGE - 200);
  return typeof shown === "string" ? shown : (toJson(shown) ?? typeof value);
}

/** Of an aggregate, whichever engine or library made it. A list of something else is a field like any other. */
function innerErrors(thrown: unknown): readonly unknown[] {
  const errors = property(thrown, "errors");
  const list = attempt(() => (Array.isArray(errors) ? [...(errors as unknown[])] : []), []);
  return isErrorLike(thrown) && list.some(isErrorLike) ? list : [];
}

function innerData(secret: RegExp): (thrown: unknown) => InnerError {
  return (thrown) => {
    const { name, message } = nameAndMessage(thrown);
    const fields = fieldsOf(thrown, { secret, room: MAX_INNER_FIELDS, isInner: false });
    return { name, message: cut(message, MAX_INNER_MESSAGE), ...(fields && { fields }) };
  };
}

interface FieldOptions {
  readonly secret: RegExp;
  readonly room: number;
  /** `errors` is told elsewhere. */
  readonly isInner: boolean;
}

/** What it carries besides; null for nothing. */
function fieldsOf(thrown: unknown, options: FieldOptions): Record<string, unknown> | null {
  if (!isObject(thrown) || attempt(() => Array.isArray(thrown), false)) return null;
  const { secret, room, isInner } = options;
  const own = new Set(ownNames(thrown));
  const told = [...TOLD, ...(isErrorLike(thrown) ? PLACES : []), ...(isInner ? ["errors"] : [])];
  const values = [...new Set([...TELLING, ...own])]
    .filter((name) => !told.includes(name))
    .map((name) => [name, (own.has(name) ? ownProperty : property)(thrown, name)] as const)
    .filter(([, value]) => isField(value))
    .slice(0, MOST_FIELDS);
  if (values.length === 0) return null;
  // Masked below, by their names.
  const shown = values.map(([name, value]) => [name, shownValue(value, MAX_FIELD, secret)]);
  return shownValue(Object.fromEntries(shown), room, secret) as Record<string, unknown>;
}

function isField(value: unknown): boolean {
  return value !== undefined && typeof value !== "function";
}

function isFinal(thrown: unknown): boolean {
  return isObject(thrown) && attempt(() => FINAL_MARK in thrown, false);
}
