// What a failpoint costs where no test listens: ns for each call, beside the same loop without it.
import { failpoint } from "../../src/core/failpoints.ts";

const CALLS = 20_000_000;
const ROUNDS = 7;

function nsPerCall(run: () => void): number {
  const from = performance.now();
  run();
  return ((performance.now() - from) * 1e6) / CALLS;
}

let passed = 0;
function without(): void {
  for (let call = 0; call < CALLS; call++) passed += 1;
}
function withPoint(): void {
  for (let call = 0; call < CALLS; call++) {
    passed += 1;
    failpoint("insert-committed");
  }
}

const differences = Array.from({ length: ROUNDS }, () => {
  const bare = nsPerCall(without);
  return nsPerCall(withPoint) - bare;
}).sort((a, b) => a - b);
const median = differences[Math.floor(ROUNDS / 2)] ?? 0;
console.log(`${median.toFixed(1)} ns for each failpoint (median of ${ROUNDS}; ${passed} passed)`);
