// Finds the names somebody may have meant, for messages that end in "did you mean".
import { distance } from "fastest-levenshtein";

const MOST = 3;

/** Up to three names, the nearest first; `likely` are the very nearest, when only a few slips of the finger away. */
export function nearestNames(
  text: string,
  names: readonly string[],
): { readonly nearest: readonly string[]; readonly likely: readonly string[] } {
  const ranked = names
    .map((name) => ({ name, slips: slipsBetween(text, name) }))
    .sort((a, b) => a.slips - b.slips || (a.name < b.name ? -1 : 1))
    .slice(0, MOST);
  const fewest = ranked[0]?.slips;
  const likely = ranked.filter(
    ({ name, slips }) => slips === fewest && slips <= allowedSlips(name),
  );
  return { nearest: ranked.map(({ name }) => name), likely: likely.map(({ name }) => name) };
}

/** Letter case is no slip, and `\App\Jobs\SendMail` is near `SendMail`. */
function slipsBetween(text: string, name: string): number {
  const whole = distance(text.toLowerCase(), name.toLowerCase());
  return Math.min(whole, distance(lastPart(text), lastPart(name)) + 1);
}

function lastPart(name: string): string {
  const [last = ""] = name
    .toLowerCase()
    .split(/[\\/.:]/)
    .slice(-1);
  return last;
}

function allowedSlips(name: string): number {
  return Math.max(2, Math.floor(lastPart(name).length / 3));
}
