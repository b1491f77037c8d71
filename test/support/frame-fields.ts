// Reads out of the document what the frames of `trace_list`, which is text, have.
import type { ServedDocument } from "./document-judge.ts";

/** What the description of `trace_list` promises: `{file, line, class?}`. */
export function frameFieldsIn({ components }: ServedDocument): ReadonlyMap<string, boolean> {
  const text = JSON.stringify(components.schemas["Task"]);
  const [, fields = ""] = /JSON text of frames \{([^}]+)\}/.exec(text) ?? [];
  const names = fields.split(",").map((each) => each.trim());
  if (!names.includes("file")) throw new Error("trace_list does not say what its frames have");
  return new Map(names.map((name) => [name.replace("?", ""), !name.endsWith("?")]));
}
