// Patterns whose time grows with the text and never explodes: RE2 in place of the runtime's own engine.
import { createRequire } from "node:module";
import { re2Syntax } from "./pattern-syntax.ts";

export interface LinearPattern {
  test(text: string): boolean;
  /** Instructions: a character costs no more than this many steps. */
  readonly size: number;
}

type Re2 = typeof import("re2js");
/** Loaded with the first pattern: many jobs have none, and every consumer would wait for it at its start. */
let re2: Re2 | undefined;

/** Null when RE2 cannot express it exactly. Throws SyntaxError when it is no pattern. */
export function linearPattern(pattern: string): LinearPattern | null {
  const syntax = re2Syntax(pattern);
  if (syntax === null) return null;
  re2 ??= createRequire(import.meta.url)("re2js") as Re2;
  try {
    const compiled = re2.RE2JS.compile(syntax);
    return { test: (text) => compiled.test(text), size: compiled.programSize() };
  } catch {
    // A repetition of more than 1,000, or a program that would be too large.
    return null;
  }
}
