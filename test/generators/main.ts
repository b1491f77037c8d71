// Generated clients (`bun run test:generators`): takes the commands and the code of docs/clients.md as a reader would, against
// a running program, and lets each client create, read and cancel a task. It ends with 1 when one of them does not work.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createClient } from "../support/api-client.ts";
import { type Program, startProgram } from "../support/program.ts";
import { openSample } from "../support/sample.ts";
import { GENERATORS, type Generator, makeClient, missingPrograms } from "./generators.ts";

const missing = GENERATORS.flatMap(missingPrograms);
if (missing.length > 0) {
  for (const line of missing) console.error(line);
  process.exit(1);
}
const sample = openSample(process.argv);
const program = await startProgram({ env: { LOG_LEVEL: "error" } });
let failures = 0;
try {
  const application = await createClient(program.url);
  for (const generator of sample.order(GENERATORS)) {
    if (sample.isTimeLeft()) failures += await isFailing(generator, { program, application });
    else console.log(`${generator.name}: no time left in this sample`);
  }
} finally {
  await program.stop();
}
console.log(`generated clients: ${failures} of ${GENERATORS.length} failed`);
process.exit(failures === 0 ? 0 : 1);

interface Platform {
  readonly program: Program;
  readonly application: ApiClient;
}

/** 1 when this generator's client does not work, and prints why; else 0. */
async function isFailing(generator: Generator, { program, application }: Platform): Promise<0 | 1> {
  const folder = mkdtempSync(join(tmpdir(), "generators-"));
  const taskNo = `${generator.name} ${crypto.randomUUID()}`;
  try {
    const client = await makeClient({ generator, folder, url: program.url });
    const { appKey, secret } = application;
    const printed = await client.run({
      API_URL: program.url,
      APP_KEY: appKey,
      APP_SECRET: secret,
      TASK_NO: taskNo,
    });
    const id = await expectCancelled(application, taskNo);
    if (!printed.startsWith(`task ${id} was `)) throw new Error(`it printed: ${printed}`);
    console.log(`${generator.name} ${client.version}: ${client.types} types; ${printed}`);
    return 0;
  } catch (error) {
    console.error(`${generator.name}: ${error instanceof Error ? error.message : error}`);
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the platform itself says of the task: the client's word is not enough. */
async function expectCancelled(application: ApiClient, taskNo: string): Promise<number> {
  const { code, msg, data } = await application.post<{ id: number }>("/task/detail", { taskNo });
  if (code !== 0) throw new Error(`its task: ${msg}`);
  await application.until(data.id, ({ status }) => status === "cancelled");
  return data.id;
}
