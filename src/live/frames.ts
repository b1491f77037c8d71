// Reads the frames of a job's own code out of a stack as either engine prints it.
import { fileURLToPath } from "node:url";
import type { Frame } from "../core/views/stack.ts";

/** `at async Mailer.send (file:///jobs/lib/mailer.ts:12:5)`; name and `async` may be missing. */
const LINE = /^\s*at (?:async )?(?:(.+?) \()?((?:file:\/\/)?\/.+?):(\d+)(?::\d+)?\)?$/;

/** The frames in files under `folder` (packages left out), innermost first. */
export function ownFrames(stack: string, folder: string): Frame[] {
  return stack.split("\n").flatMap((line) => {
    const [, name, place, lineNumber] = LINE.exec(line) ?? [];
    if (place === undefined) return [];
    const file = pathOf(place);
    if (!file.startsWith(`${folder}/`) || file.includes("/node_modules/")) return [];
    return [{ file, line: Number(lineNumber), ...functionOf(name) }];
  });
}

/** Of a file as an engine names it: a URL or a path. Deno prints URLs decoded, and then no part of one means anything. */
export function pathOf(place: string): string {
  if (!place.startsWith("file:")) return place;
  if (/#|%(?![\da-f]{2})/i.test(place)) return place.slice("file://".length);
  try {
    return fileURLToPath(place);
  } catch {
    return place;
  }
}

/** `new A` → constructor of A; `A.b [as c]` → b of A; V8 calls the class of a plain object `Object`. */
function functionOf(name: string | undefined): Pick<Frame, "function" | "class" | "type"> {
  const plain = name?.replace(/ \[as .*\]$/, "") ?? "";
  if (plain.startsWith("new "))
    return { function: "constructor", class: plain.slice(4), type: "->" };
  const dot = plain.lastIndexOf(".");
  const own = plain.slice(dot + 1);
  const called = { function: own === "" || own === "<anonymous>" ? "(anonymous)" : own };
  const of = dot > 0 ? plain.slice(0, dot) : "";
  return of === "" || of === "Object" ? called : { ...called, class: of };
}
