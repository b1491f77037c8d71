// Proves that an attempt in a process is seen on the right line of every shape of standing still.

import { test } from "../support/long.ts";
import { expectRightShapes } from "./wrong-shapes.ts";

test("shapes in a process are seen on their lines only", async () => {
  await expectRightShapes([process.execPath, "--no-install"], "process");
});
