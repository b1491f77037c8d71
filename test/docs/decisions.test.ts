// Holds the index of the decision records to the records.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";

const FOLDER = "docs/decisions";

test("the index names every decision record by its own title, in order", () => {
  const records = readdirSync(FOLDER)
    .filter((name) => /^\d{4}-/.test(name))
    .toSorted();
  const lines = records.map((name) => {
    const title = readFileSync(`${FOLDER}/${name}`, "utf8").split("\n", 1)[0] ?? "";
    const [, number, words] = /^# (\d+)\. (.+)$/.exec(title) ?? [];
    return `${number}. [${words}](${name})`;
  });
  const index = readFileSync(`${FOLDER}/README.md`, "utf8").trimEnd().split("\n");
  expect(index.slice(-lines.length)).toEqual(lines);
});
