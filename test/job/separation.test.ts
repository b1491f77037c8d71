// What a job can not do to the platform and other jobs, short of malice: speak for it, see its secrets, break its clock.
import { describe, expect, test } from "bun:test";
import { MARK_NAME } from "../../src/process/process-sweep.ts";
import { finish, openLane, start } from "./attempts.ts";

process.env["TEST_JOB_SECRET"] = "hidden";
const lane = await openLane({ env: { SHOWN: "yes" } });

describe("a job", () => {
  test("sees nothing of the environment but what it is given", async () => {
    const { end } = await finish(start(lane, "env"));
    // The mark is for what the job starts.
    const shown = { SHOWN: "yes", [MARK_NAME]: expect.stringMatching(/^[0-9a-f]+\/[0-9a-f]+$/) };
    expect(JSON.parse(end.result ?? "")).toEqual({ process: shown, meta: shown, runtime: shown });
  });

  test("finds no port to speak as the platform", async () => {
    const { end } = await finish(start(lane, "ports"));
    expect(end).toMatchObject({ outcome: "succeeded" });
    expect(JSON.parse(end.result ?? "")).toEqual({
      global: "undefined",
      direct: null,
      workerData: null,
    });
  });

  test("may patch every global it likes: its own attempts still end as they end", async () => {
    for (const expected of ["still fine", "still fine"]) {
      const { end } = await finish(start(lane, "patch"));
      expect(end).toMatchObject({ outcome: "succeeded", result: `"${expected}"` });
      expect(end.trace?.events.some(({ type }) => type === "log")).toBe(true);
      expect(end.trace?.events[0]?.at).toBeGreaterThan(1_700_000_000_000);
    }
  });
});
