// Writes the document the app serves to docs/openapi.json: `bun run openapi`.
import { writeFile } from "node:fs/promises";
import manifest from "../../package.json" with { type: "json" };
import { createHarness } from "./http-harness.ts";

const harness = await createHarness({}, { version: manifest.version });
const { text } = await harness.ask("/swagger/json");
await writeFile(new URL("../../docs/openapi.json", import.meta.url), text);
await harness.close();
