// Proves what becomes of the frames of async calls that the table has no room for, and of those that were forgotten.
import { expect, test } from "bun:test";
import { FRAME_COUNT, LIVE_WORDS, openLiveMemory } from "../../src/job/wire/live-memory.ts";
import { CALLS } from "../../src/job/wire/names.ts";
import { createAsyncFrames } from "../../src/live/inside/async-frames.ts";
import { readLive } from "../../src/live/reader.ts";

const PATH = "/jobs/one.ts";

function openFrames() {
  const { words } = openLiveMemory();
  const { calls, reset } = createAsyncFrames(words);
  const entries = [1, 2, 3].map((line) => ({ line, column: 1, function: `line${line}` }));
  const table = { path: PATH, fileNumber: 1, entries, shifts: [] };
  const [open, park, resume, regain, close] = [
    calls[CALLS.open],
    calls[CALLS.park],
    calls[CALLS.resume],
    calls[CALLS.regain],
    calls[CALLS.close],
  ];
  return {
    ...{ open, park, resume, regain, close, reset },
    depth: () => words[LIVE_WORDS.depth],
    lines: () => readLive(words, () => table).frames.map(({ line }) => line),
    waiting: () =>
      readLive(words, () => table).waiting.map(({ count, frames }) => [
        count,
        ...frames.map(({ line }) => line),
      ]),
  };
}

const line = (index: number) => (1 << 16) | (index - 1);

test("a call that finds the table full is on the stack, and suspended as if it were not there", () => {
  const frames = openFrames();
  const held = Array.from({ length: FRAME_COUNT - 1 }, () =>
    frames.park(frames.open(line(1)), line(1)),
  );
  expect(new Set(held).size).toBe(FRAME_COUNT - 1);
  let handle = frames.open(line(2));
  expect(frames.lines()).toEqual([2]);
  handle = frames.park(handle, line(2));
  expect(frames.depth()).toBe(0);
  expect(frames.waiting()).toEqual([[FRAME_COUNT - 1, 1]]);
  handle = frames.regain(handle, line(3));
  expect(frames.lines()).toEqual([3]);
  frames.close(handle);
  expect(frames.depth()).toBe(0);
});

test("once the table has room, calls are noted there again, and one that was not when it comes back", () => {
  const frames = openFrames();
  const held = Array.from({ length: FRAME_COUNT - 1 }, () =>
    frames.park(frames.open(line(1)), line(1)),
  );
  const without = frames.park(frames.open(line(2)), line(2));
  for (const handle of held) frames.close(handle);
  expect(frames.waiting()).toEqual([]);
  const back = frames.resume(without, line(2));
  frames.close(frames.park(frames.open(line(3)), line(3)));
  frames.park(frames.open(line(3)), line(3));
  frames.park(back, line(2));
  expect(frames.waiting()).toEqual([[1, 3, 2]]);
});

test("what a reset has forgotten waits nowhere, and is on the stack when it comes back", () => {
  const frames = openFrames();
  const forgotten = frames.park(frames.open(line(1)), line(1));
  frames.reset();
  expect(frames.waiting()).toEqual([]);
  frames.park(frames.open(line(2)), line(2));
  const back = frames.resume(forgotten, line(3));
  expect(frames.lines()).toEqual([3]);
  expect(frames.waiting()).toEqual([[1, 2]]);
  frames.close(back);
  expect(frames.depth()).toBe(0);
});

test("a call that has ended is not revived by a resource that is disposed of after it", () => {
  const frames = openFrames();
  const handle = frames.open(line(1));
  frames.close(handle);
  frames.park(handle, line(2));
  expect(frames.depth()).toBe(0);
  expect(frames.waiting()).toEqual([]);
});
