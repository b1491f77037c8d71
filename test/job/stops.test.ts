// A stop touches nobody else: not during a spawn, an import or an offer, not when a job runs or has just ended.
import { expect, setDefaultTimeout } from "bun:test";
import { test } from "../support/long.ts";
import { TEST_LIMIT_MS } from "../support/patience.ts";
import { storm } from "./stop-storm.ts";

setDefaultTimeout(TEST_LIMIT_MS);

// `bun run test:kill` makes ten times as many.
test("120 stops, 20 at every phase, leave 20 jobs beside them undisturbed", async () => {
  const result = await storm({ stops: 120, innocents: 20, isChecked: true, patienceMs: 60_000 });
  const stopped = { spawn: 20, import: 20, deadline: 20, offer: 20, begun: 20, ended: 20 };
  expect(result).toMatchObject({ stopped, disturbed: [] });
  expect(result.innocents).toBeGreaterThanOrEqual(20);
});

test("the same stops do harm where memory is reached after it was given back", async () => {
  const result = await storm({ stops: 20, innocents: 4, isChecked: false, patienceMs: 30_000 });
  expect(result.disturbed.length).toBeGreaterThan(0);
});
