// Makes folders with many job files.
import { mkdtemp, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `job-0`, `job-1` …: each tells `params.url` that it starts. Lines of its own go in front of its definition. */
export async function makeJobFiles(
  count: number,
  linesOf: (name: string) => string = () => "",
): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "serendipity-jobs-")));
  for (let index = 0; index < count; index++) {
    const name = `job-${index}`;
    await writeFile(join(folder, `${name}.ts`), jobText(name, linesOf(name)));
  }
  return folder;
}

/** The file of one such job. */
export function jobText(name: string, lines = ""): string {
  return `import { defineJob } from "serendipity-job";
${lines}
export default defineJob({
  name: ${JSON.stringify(name)},
  async run({ url, sleepMs = 0 }, ctx) {
    if (url) await fetch(url);
    await ctx.sleep(sleepMs);
  },
});
`;
}
