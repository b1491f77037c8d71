// Patterns whose time grows with the text and never explodes: on RE2, unless the runtime's own engine is as safe.
import { createRequire } from "node:module";
import { re2Syntax } from "./pattern-syntax.ts";
import { plainSteps } from "./plain-pattern.ts";

export interface LinearPattern {
  test(text: string): boolean;
  /** In units of a meter, for a text of this length. */
  unitsFor(length: number): number;
}

/** What a step takes, by engine, and what a call does. */
const OWN = { perCall: 5, perStep: 0.1 };
const RE2 = { perCall: 500, perStep: 1 };

type Re2 = typeof import("re2js");
/** Loaded with the first pattern: many jobs have none, and every consumer would wait for it at its start. */
let re2: Re2 | undefined;

/** Null when RE2 cannot express it exactly. Throws SyntaxError when it is no pattern. */
export function linearPattern(pattern: string): LinearPattern | null {
  const syntax = re2Syntax(pattern);
  if (syntax === null) return null;
  const steps = plainSteps(pattern);
  if (steps === null) return onRe2(syntax);
  const own = new RegExp(pattern, "u");
  return { test: (text) => own.test(text), unitsFor: unitsOf(OWN, steps) };
}

function onRe2(syntax: string): LinearPattern | null {
  re2 ??= createRequire(import.meta.url)("re2js") as Re2;
  try {
    const compiled = re2.RE2JS.compile(syntax);
    const unitsFor = unitsOf(RE2, compiled.programSize());
    return { test: (text) => compiled.test(text), unitsFor };
  } catch {
    // A repetition of more than 1,000, or a program that would be too large.
    return null;
  }
}

function unitsOf({ perCall, perStep }: typeof OWN, stepsPerCharacter: number) {
  return (length: number) => perCall + length * stepsPerCharacter * perStep;
}
