// Both tables of callbacks: `bun run test:callbacks` prints them and writes docs/callback-tables.md; it ends with 1 when a row is wrong.
// They take about a minute: with `--seconds N` all of it runs, and nothing is written.
import { writeFileSync } from "node:fs";
import { findBinary } from "../support/find-binary.ts";
import { BUN, runScript } from "../support/run-script.ts";
import { openSample } from "../support/sample.ts";
import { REFUSALS } from "./bypass-hosts.ts";
import { createCertificates } from "./certificates.ts";
import { privateAddresses, publicAddresses } from "./guarded-addresses.ts";
import { hostileCases } from "./hostile-receivers.ts";
import type { GuardReport } from "./run-guard.ts";
import type { HostileRow } from "./run-hostile.ts";

interface Runtime {
  readonly name: string;
  readonly command: readonly string[];
}

const deno = findBinary("deno");
const runtimes: readonly Runtime[] = [
  { name: "Bun", command: BUN },
  ...(deno === undefined
    ? []
    : [{ name: "Deno", command: [deno, "run", "--no-prompt", "--quiet", "-A"] }]),
];
const TRIES = 3;
const wrong: string[] = [];

const text = `# Tables of callbacks

Written by \`bun run test:callbacks\`; do not edit. Every cell is from a real run on ${runtimes.map(({ name }) => name).join(" and ")}; the same cases are tests.

## Hostile receivers

One delivery to each, with a timeout of 1,500 ms where the receiver is slow and 10 s elsewhere. Time is until the attempt is decided, memory by how much the process that delivers *and* holds the receiver grew at most meanwhile. Nobody got a second request, and no request went out over TLS that was not right.

${await hostileTable()}

## The address guard

${await guardTables()}`;

console.log(text);
if (openSample(process.argv).isWhole) {
  writeFileSync(new URL("../../docs/callback-tables.md", import.meta.url), text);
}
for (const line of wrong) console.error(`wrong: ${line}`);
process.exit(wrong.length === 0 ? 0 : 1);

async function hostileTable(): Promise<string> {
  const certificates = createCertificates();
  const env = [
    "env",
    ...["NODE_EXTRA_CA_CERTS", "DENO_CERT"].map((it) => `${it}=${certificates.caPath}`),
  ];
  const script = new URL("./run-hostile.ts", import.meta.url);
  const all: HostileRow[][] = [];
  for (const { name, command } of runtimes) {
    const spec = { command: [...env, ...command], script, data: certificates };
    let rows: HostileRow[] = [];
    let isLate = true;
    // A busy machine is late only sometimes; what cannot be in time is late every time.
    for (let tries = 0; tries < TRIES && isLate; tries++) {
      rows = JSON.parse(await runScript(spec)) as HostileRow[];
      isLate = rows.some(({ ms }, at) => ms > (hostileCases[at]?.withinMs ?? 0));
    }
    for (const [at, row] of rows.entries()) wrong.push(...wrongOf(name, row, at));
    all.push(rows);
  }
  certificates.remove();
  const head = runtimes.flatMap(({ name }) => [name, "ms", "MB"]);
  const rows = hostileCases.map(({ name }, at) => [
    name,
    ...all.flatMap((each) => cellsOf(each[at])),
  ]);
  return markdown(["receiver", ...head], rows);
}

function cellsOf(row: HostileRow | undefined): string[] {
  if (row === undefined) return ["not run", "", ""];
  const outcome = row.reason === undefined ? row.outcome : `${row.outcome}: ${row.reason}`;
  return [outcome, String(row.ms), String(row.grewMb)];
}

function wrongOf(runtime: string, row: HostileRow, at: number): string[] {
  const expected = hostileCases[at];
  const isRight =
    row.outcome === expected?.outcome &&
    row.reason === expected.reason &&
    row.ms <= expected.withinMs &&
    row.killed &&
    (row.lured === 0 || row.outcome === "succeeded");
  return isRight ? [] : [`${runtime}, ${row.name}: ${JSON.stringify(row)}`];
}

async function guardTables(): Promise<string> {
  const reports: GuardReport[] = [];
  for (const { name, command } of runtimes) {
    const script = new URL("./run-guard.ts", import.meta.url);
    const report = JSON.parse(await runScript({ command, script, data: {} })) as GuardReport;
    wrong.push(...wrongOfGuard(name, report));
    reports.push(report);
  }
  const names = runtimes.map(({ name }) => name);
  const kinds = new Map(privateAddresses.map(([kind, address]) => [address, kind]));
  const addresses = (reports[0]?.addresses ?? []).map(({ address }, at) => [
    code(address),
    kinds.get(address) ?? "public",
    ...reports.map((report) => (report.addresses[at]?.isRefused ? "refused" : "reached")),
  ]);
  const written = (reports[0]?.written ?? []).map(({ url }, at) => [
    code(url),
    ...reports.map((report) => report.written[at]?.reason ?? "not run"),
  ]);
  const canaries = reports.map(({ canary, allowed }, at) => {
    return `${names[at]}: ${canary} connections, and ${allowed} from a delivery that may go there.`;
  });
  return `Kinds of addresses, without CALLBACK_ALLOW:

${markdown(["address", "what it is", ...names], addresses)}

Ways to write them, from published lists, as real deliveries. \`PORT\` is the port of a canary that listens on 127.0.0.1: ${canaries.join(" ")} \`name_not_resolved\` and \`url_invalid\` count as refused: nothing was connected to.

${markdown(["linkUrl", ...names], written)}
`;
}

function wrongOfGuard(runtime: string, report: GuardReport): string[] {
  const written = report.written.filter(({ reason }) => !REFUSALS.includes(reason));
  const addresses = report.addresses.filter(
    ({ address, isRefused }) => isRefused === publicAddresses.includes(address),
  );
  const isHeard = report.canary === 0 && report.allowed === 1;
  const canary = isHeard ? [] : [{ canary: report.canary, allowed: report.allowed }];
  return [...written, ...addresses, ...canary].map((it) => `${runtime}: ${JSON.stringify(it)}`);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** What a table in Markdown would break at is shown as JSON shows it. */
function code(text: string): string {
  return `\`${JSON.stringify(text).slice(1, -1).replaceAll("|", "\\|")}\``;
}
