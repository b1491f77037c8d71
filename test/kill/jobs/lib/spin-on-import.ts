// Imported by jobs whose own import never ends: well for the catalogue, and not any more once the flag is there.
import { appendFileSync, existsSync } from "node:fs";

const flag = process.env["KILL_SPIN_FLAG"] ?? "";
if (existsSync(flag)) {
  // It tells from outside that the import has begun.
  appendFileSync(flag, ".");
  for (;;);
}
