// Stacks of both engines, read as frames.
import { describe, expect, test } from "bun:test";
import { ownFrames } from "../../src/live/frames.ts";

const line = (text: string) => ownFrames(`Error\n    at ${text}`, "/jobs")[0];

// biome-ignore format: a table is read by its columns
const lines = [
  ["run (/jobs/a.ts:5:9)",                            { file: "/jobs/a.ts", line: 5, function: "run" }],
  ["async run (/jobs/a.ts:5:9)",                      { file: "/jobs/a.ts", line: 5, function: "run" }],
  ["/jobs/a.ts:5:9",                                  { file: "/jobs/a.ts", line: 5, function: "(anonymous)" }],
  ["async file:///jobs/a.ts:5:9",                     { file: "/jobs/a.ts", line: 5, function: "(anonymous)" }],
  ["<anonymous> (/jobs/a.ts:5:9)",                    { file: "/jobs/a.ts", line: 5, function: "(anonymous)" }],
  ["Object.run (file:///jobs/a.ts:5:9)",              { file: "/jobs/a.ts", line: 5, function: "run" }],
  ["Mailer.send (file:///jobs/lib/a.ts:5:9)",         { file: "/jobs/lib/a.ts", line: 5, function: "send", class: "Mailer" }],
  ["Mailer.send [as post] (file:///jobs/a.ts:5:9)",   { file: "/jobs/a.ts", line: 5, function: "send", class: "Mailer" }],
  ["new Mailer (/jobs/a.ts:5:9)",                     { file: "/jobs/a.ts", line: 5, function: "constructor", class: "Mailer", type: "->" }],
  ["run (file:///jobs/with%20space.ts:5:9)",          { file: "/jobs/with space.ts", line: 5, function: "run" }],
  ["run (file:///jobs/no 1 (old) #%41.ts:5:9)",       { file: "/jobs/no 1 (old) #%41.ts", line: 5, function: "run" }],
] as const;

describe("frames of a stack", () => {
  test.each(lines)("%s", (text, frame) => {
    expect(line(text)).toEqual(frame);
  });

  const foreign = [
    "run (/elsewhere/a.ts:5:9)",
    "run (/jobs-of-others/a.ts:5:9)",
    "run (/jobs/node_modules/x/a.js:5:9)",
    "processTicksAndRejections (native:7:39)",
    "async Promise.all (index 0)",
    "ext:core/01_core.js:4:5",
  ];

  test.each(foreign)("leave out %s", (text) => {
    expect(line(text)).toBeUndefined();
  });

  test("are none in a text that is no stack", () => {
    expect(ownFrames("", "/jobs")).toEqual([]);
  });
});
