// A process that says when it runs and when it has lost its parent.
import { onOrphaned } from "../../src/process/orphaned.ts";

onOrphaned(() => {
  console.log("orphaned");
  process.exit(0);
});
console.log("up");
