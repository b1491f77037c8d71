// The sample jobs do what their comments say.
import { expect } from "bun:test";
import { fileURLToPath } from "node:url";
import { claimed } from "../support/claimed-task.ts";
import { describe, test } from "../support/long.ts";
import { finish, openLane, until } from "./attempts.ts";

const lane = await openLane({ jobsDir: fileURLToPath(new URL("../../src/jobs", import.meta.url)) });

test("all samples are in the catalogue", () => {
  expect(lane.catalogue.badFiles).toEqual([]);
  expect(lane.catalogue.duplicates).toEqual([]);
  expect(lane.jobs.toSorted()).toEqual([
    "\\Serendipity\\Job\\Job\\SimpleJob",
    "countdown",
    "flaky",
    "simple",
    "stuck",
  ]);
});

describe("the SimpleJob of the API's first example", () => {
  const simple = "\\Serendipity\\Job\\Job\\SimpleJob";

  test("runs under the name and with the params of that example", async () => {
    const dates = { startDate: "2021-07-27 17:50:50", endDate: "2021-07-27 17:50:50" };
    const task = claimed(simple, {});
    const content = JSON.stringify({ class: simple, _params: dates });
    const { end } = await finish(lane.start({ ...task, content }));
    expect(JSON.parse(end.result ?? "")).toEqual({ ...dates, days: 1 });
  });

  test("refuses a range that ends before it starts, for good", async () => {
    const dates = { startDate: "2021-07-27 00:00:00", endDate: "2021-07-20 00:00:00" };
    const { end } = await finish(lane.start(claimed("simple", dates)));
    expect(end).toMatchObject({ outcome: "failed", error: { final: true } });
  });
});

test("the countdown shows how far it is and ends at zero", async () => {
  const attempt = lane.start(claimed("countdown", { from: 1 }));
  await until(async () => (await attempt.inspect()).vars !== null);
  expect(await attempt.inspect()).toMatchObject({
    vars: { left: 1, from: 1 },
    progress: { text: "1 s left" },
    frames: [{ function: "run" }],
  });
  expect((await finish(attempt)).end.result).toBe('{"stoppedAt":0}');
});

test("the flaky job fails as often as it is told to", async () => {
  const task = claimed("flaky", { failures: 1 });
  const first = await finish(lane.start(task));
  expect(first.end).toMatchObject({
    outcome: "failed",
    error: { message: "the service failed (1/1)" },
  });
  const second = await finish(lane.start({ ...task, attempt: 2 }));
  expect(second.end.result).toBe('{"attempts":2}');
});

test("the stuck job is killed at its timeout, and what it said before is known", async () => {
  await finish(lane.start(claimed("flaky", { failures: 0 })));
  const { end, receipt } = await finish(lane.start(claimed("stuck", {}, 1_500)));
  expect(end).toMatchObject({
    outcome: "timed_out",
    trace: { view: { state: "running", vars: { advice: "cancel me" } } },
  });
  expect(end.trace?.view?.frames[0]?.file).toEndWith("src/jobs/stuck.ts");
  expect(receipt.killed).toBe(true);
});
