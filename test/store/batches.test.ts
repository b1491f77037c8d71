// Batches end at 500 rows or 1 MiB, and a refused batch is halved until only the guilty rows fail.
import { expect, test } from "bun:test";
import { AppError } from "../../src/core/errors.ts";
import { batchesOf, inHalves } from "../../src/store/batches.ts";
import { sqliteFailures } from "../../src/store/sqlite/failures.ts";
import { rejectionOf } from "../support/rejection.ts";

const MIB = 1024 * 1024;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const sizesOf = (rows: readonly number[], bytesOf?: (row: number) => number) =>
  batchesOf(rows, bytesOf).map((batch) => batch.length);

test("a batch ends at 500 rows, and all rows are in one", () => {
  expect(sizesOf(numbers(1_001))).toEqual([500, 500, 1]);
  expect(batchesOf(numbers(1_001)).flat()).toEqual(numbers(1_001));
  expect(batchesOf([])).toEqual([]);
});

test("a batch ends before it would exceed 1 MiB; a larger row is alone", () => {
  expect(sizesOf(numbers(5), () => MIB / 2)).toEqual([2, 2, 1]);
  expect(sizesOf(numbers(3), (row) => (row === 1 ? 3 * MIB : 10))).toEqual([1, 1, 1]);
});

test("only guilty rows fail, in few steps, and results keep their order", async () => {
  const guilty = new Set([3, 400]);
  let calls = 0;
  const results = await inHalves<number, string>(numbers(500), {
    failures: sqliteFailures,
    all: async (rows) => {
      calls += 1;
      if (rows.some((row) => guilty.has(row))) throw new Error("refused");
      return rows.map((row) => `ok ${row}`);
    },
    guilty: (row) => `guilty ${row}`,
  });
  expect(results).toEqual(numbers(500).map((i) => `${guilty.has(i) ? "guilty" : "ok"} ${i}`));
  expect(calls).toBeLessThan(50);
});

test("when the database is away nothing is halved", async () => {
  let calls = 0;
  const away = new AppError("unavailable", "away");
  const halving = inHalves<number, string>(numbers(8), {
    failures: sqliteFailures,
    all: () => {
      calls += 1;
      return Promise.reject(away);
    },
    guilty: () => "guilty",
  });
  expect(await rejectionOf(halving)).toBe(away);
  expect(calls).toBe(1);
});
