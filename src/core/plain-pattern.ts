// Finds the patterns that the runtime's own engine takes in linear time, as most are: they need no other one.

/** Escapes, each of which stands for one character or for none. */
const ESCAPE = /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|.)/gsu;
const CLASS = /\[[^\]]*\]/gu;
const GROUP = /\(\?(?::|<\w+>)/gu;
const FIXED_COUNT = /\{(\d+)\}/gu;
const VARIABLE = /[*+?]|\{\d+,\d*\}/gu;

/**
 * The steps that one character may cost; null when it is more than a fixed number. Tied to the beginning, with one
 * repetition that is not fixed and of one character: each of its lengths is tried once, with what follows.
 * @param pattern one that RE2 can express, so nothing in it looks around or back
 */
export function plainSteps(pattern: string): number | null {
  // With one letter for each escape and class only groups, alternatives and repetitions are left to look at.
  const outline = pattern.replace(ESCAPE, "x").replace(CLASS, "x").replace(GROUP, "(");
  const isTied = outline.startsWith("^") && hasOneChoice(outline);
  const repeated = outline.replace(FIXED_COUNT, "").match(VARIABLE)?.length ?? 0;
  if (!isTied || repeated > 1 || /\)[*+?{]/.test(outline)) return null;
  const counts = [...outline.matchAll(FIXED_COUNT)].map(([, count]) => Number(count));
  return outline.length + counts.reduce((sum, count) => sum + count, 0);
}

/**
 * At most one group has alternatives: those of groups one behind the other would be tried in all their combinations. An
 * alternative outside of all groups is not tied to the beginning.
 */
function hasOneChoice(outline: string): boolean {
  const open: number[] = [0];
  const choosing = new Set<number>();
  for (const [at, character] of [...outline.matchAll(/[(|)]/g)].map(atAndText)) {
    if (character === "(") open.push(at);
    if (character === ")") open.pop();
    if (character === "|") choosing.add(open.at(-1) ?? 0);
  }
  return choosing.size <= 1 && !choosing.has(0);
}

function atAndText({ 0: character, index }: RegExpExecArray): readonly [number, string] {
  return [index, character];
}
