// Hostile requests (`bun run test:hostile`): malformed JSON and naughty texts in every field, callbacks under an independent
// verifier, and schemathesis over the document, against a running program. It ends with 1 when an answer is not as it must be.
import { createClient } from "../support/api-client.ts";
import { type Program, startProgram } from "../support/program.ts";
import { openSample, type Sample } from "../support/sample.ts";
import { hostileRequests } from "./fields.ts";
import { sendHostile, type Target } from "./judge.ts";
import { runSchemathesis } from "./schemathesis.ts";
import { hostileWebhooks } from "./webhooks.ts";

const ADMIN_TOKEN = "an-admin-token-for-hostile-tests";
const WHOLE_SECONDS = 600;
const AT_ONCE = 4;
/** Of the time of a sample: the fields, then schemathesis with what is left. */
const FIELDS_SHARE = 0.3;
const SCHEMATHESIS_SHARE = 0.5;

const at = process.argv.indexOf("--seconds");
const seconds = at === -1 ? WHOLE_SECONDS : Number(process.argv[at + 1]);
const sample = openSample(process.argv);
const program = await startProgram({ env: { ADMIN_TOKEN, LOG_LEVEL: "error" } });
const wrong: string[] = [];
try {
  const target = await openTarget(program);
  wrong.push(...(await sendAll(target, sample)));
  wrong.push(...(await hostileWebhooks(program.url, ADMIN_TOKEN)));
  wrong.push(...(await runSchemathesis(target, seconds * SCHEMATHESIS_SHARE)));
  wrong.push(...(await problemsOf(program)));
} finally {
  await program.stop();
}
for (const line of wrong) console.error(`wrong: ${line}`);
console.log(`hostile requests: ${wrong.length} wrong`);
process.exit(wrong.length === 0 ? 0 : 1);

async function openTarget({ url }: Program): Promise<Target> {
  const { appKey, secret } = await createClient(url, { adminToken: ADMIN_TOKEN });
  return { url, key: { appKey, secret }, adminToken: ADMIN_TOKEN };
}

async function sendAll(target: Target, { order, isTimeLeft }: Sample): Promise<string[]> {
  // Its secrets are replaced again and again: another application's.
  const { appKey } = await createClient(target.url, { adminToken: ADMIN_TOKEN });
  const requests = order(hostileRequests((path) => path.replace("{app_key}", appKey)));
  const found: string[] = [];
  const statuses = new Map<number, number>();
  const open = requests.entries();
  const work = async () => {
    for (const [, request] of open) {
      if (!isTimeLeft(FIELDS_SHARE)) return;
      const { status, wrong: problem } = await sendHostile(target, request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (problem !== null) found.push(`POST ${request.documented}, ${request.what}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const counts = [...statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${count} × ${status}`);
  console.log(`fields and bodies: ${counts.join(", ")} of ${requests.length}`);
  return found;
}

/** It must have got through all of it without an error of its own. */
async function problemsOf({ url, log }: Program): Promise<string[]> {
  const { status } = await fetch(`${url}/readyz`);
  const errors = (await log()).split("\n").filter((line) => line.includes('"level":50'));
  return [
    ...(status === 200 ? [] : [`/readyz answers ${status}`]),
    ...errors.map((line) => `logged as an error: ${line.slice(0, 300)}`),
  ];
}
