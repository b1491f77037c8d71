// Shows what the end of a delivery says of its host, and of its application there.
import { expect, test } from "bun:test";
import type { HostSign } from "../../src/callback/host-gates.ts";
import { hostSign } from "../../src/callback/host-sign.ts";

const busy = { delivery: { status: 503 } };
const begun = { delivery: { status: 200 } };
const unsent = { delivery: { status: null } };

test.each([
  ["succeeded", {}, "alive"],
  ["failed", { error: { reason: "body_not_success" } }, "alive"],
  ["failed", { error: { reason: "status_not_2xx" }, delivery: { status: 404 } }, "alive"],
  ["failed", { error: { reason: "status_not_2xx" }, ...busy }, "trouble"],
  ["failed", { error: { reason: "status_not_2xx" }, delivery: { status: 429 } }, "trouble"],
  ["failed", { error: { reason: "not_http" } }, "trouble"],
  ["failed", { error: { reason: "connection_closed" }, ...begun }, "trouble"],
  ["failed", { error: { reason: "connection_closed" }, ...unsent }, "silent"],
  ["failed", { error: { reason: "connect_failed" } }, "silent"],
  ["failed", { error: { reason: "tls" } }, "silent"],
  ["failed", { error: { reason: "name_not_resolved" } }, "silent"],
  ["timed_out", { error: { reason: "timeout" } }, "silent"],
  ["timed_out", { error: { reason: "timeout" }, ...begun }, "trouble"],
  ["failed", { error: { reason: "address_refused" } }, "nothing"],
  ["cancelled", {}, "nothing"],
  ["interrupted", {}, "nothing"],
])("%s %j says: %s", (outcome, end, sign) => {
  expect(hostSign({ outcome, ...end } as Parameters<typeof hostSign>[0], 1_000)).toBe(
    sign as HostSign,
  );
});

test("a task that waits less than a second says nothing of its host", () => {
  const end = {
    outcome: "timed_out",
    error: { name: "", message: "", reason: "timeout" },
  } as const;
  expect(hostSign(end, 999)).toBe("unheard");
});
