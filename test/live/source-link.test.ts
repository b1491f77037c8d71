// The owner's end of the questions a job worker asks while it is importing.
import { expect, test } from "bun:test";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveSources } from "../../src/job/wire/source-link.ts";
import { openLiveSources } from "../../src/live/sources.ts";

test("a source is answered also when it cannot be noted: its job worker stands still until then", async () => {
  const folder = mkdtempSync(join(tmpdir(), "source-link-"));
  const path = join(folder, "job.ts");
  writeFileSync(path, "export const answer = 42;\n");
  const sources = openLiveSources(join(folder, "copies"));
  const { link, close } = serveSources(sources, () => {
    throw new Error("the disk is read-only by now");
  });
  const { port } = link;
  const answered = once(port, "message");
  port.postMessage({ id: 1, path, mode: "lean" });
  const [answer] = (await answered) as [{ readonly id: number }];
  expect(answer).toMatchObject({ id: 1, source: { kind: "rewritten" } });
  expect(new Int32Array(link.answers)[0]).toBe(1);
  port.close();
  close();
  rmSync(folder, { recursive: true });
});
