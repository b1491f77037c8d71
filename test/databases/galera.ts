// bun run test:galera [--seconds N]: two nodes and an arbitrator, which come and go under creates, claims and migrations.
import { setTimeout as delay } from "node:timers/promises";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { allMigrations, migrate } from "../../src/store/migrations/migrate.ts";
import { createMysqlDatabase } from "../../src/store/mysql/database.ts";
import { createMysqlStore } from "../../src/store/mysql/store.ts";
import { openCorner, sampleTask } from "../contract/store/samples.ts";
import { type PrivateGalera, startPrivateGalera } from "../support/private-galera.ts";
import type { PrivateMariadb } from "../support/private-mariadb.ts";
import { createRecordedLog } from "../support/recorded-log.ts";
import { startTraffic, type Traffic } from "./galera-traffic.ts";

const MIGRATIONS_AT_ONCE = 8;
const STILL_MS = 4_000;
const BETWEEN_CHANGES_MS = 1_500;
const WHOLE_S = 120;

const logger = createRecordedLog();
const cluster = await startPrivateGalera();
const second = await cluster.join();
const outcomes = [
  ...(await migratingAtOnce()),
  ...(await stoppedHalfWay()),
  ...(await undoneOnce()),
  ...(await membersComeAndGo(cluster, secondsOf(process.argv.slice(2)))),
];
await cluster.stop();
for (const { name, isRight, saw } of outcomes)
  console.log(`${isRight ? "right" : "WRONG"}: ${name}: ${saw}`);
const failed = outcomes.filter(({ isRight }) => !isRight).length;
console.log(`\n${outcomes.length - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed === 0 ? 0 : 1);

interface Outcome {
  readonly name: string;
  readonly isRight: boolean;
  readonly saw: string;
}

function secondsOf(args: readonly string[]): number {
  const at = args.indexOf("--seconds");
  const seconds = at === -1 ? WHOLE_S : Number(args[at + 1]);
  if (!(seconds > 0)) throw new Error(`--seconds must be a number above 0, not ${args[at + 1]}`);
  return seconds;
}

async function migratingAtOnce(): Promise<Outcome[]> {
  const problems: string[] = [];
  for (let round = 0; round < MIGRATIONS_AT_ONCE; round++) {
    const name = await createDatabase(`at_once_${round}`);
    const stores = [cluster.first, second, cluster.first, second].map((node) => openOn(node, name));
    const ends = await Promise.allSettled(stores.map((store) => store.migrate()));
    for (const end of ends) if (end.status === "rejected") problems.push(String(end.reason));
    await Promise.all(
      stores.map((store) => store.checkSchema().catch((error) => problems.push(String(error)))),
    );
    await Promise.all(stores.map((store) => store.close()));
  }
  const saw = problems.length === 0 ? `${MIGRATIONS_AT_ONCE} times` : problems.join("; ");
  return [
    { name: "four that migrate at once over two nodes", isRight: problems.length === 0, saw },
  ];
}

async function stoppedHalfWay(): Promise<Outcome[]> {
  const name = await createDatabase("half_way");
  const store = openOn(cluster.first, name);
  await store.migrate();
  await query(
    cluster.first,
    `UPDATE ${name}.schema_migrations SET finished_at = NULL WHERE version = 1`,
  );
  const database = createMysqlDatabase({ url: urlOf(second, name), poolSize: 1, logger });
  const startedMs = performance.now();
  const said = await migrate(database, allMigrations, STILL_MS).then(() => "nothing", String);
  const waitedMs = Math.round(performance.now() - startedMs);
  await Promise.all([store.close(), database.close()]);
  const isRight = waitedMs >= STILL_MS && said.includes("to repair it");
  return [
    {
      name: "a repair is advised only after a time without progress",
      isRight,
      saw: `${waitedMs} ms: ${said}`,
    },
  ];
}

/** Another node's write undoes a create half-way; the node repeats the statement by itself, with other ids. */
async function undoneOnce(): Promise<Outcome[]> {
  const name = await createDatabase("undone_once");
  const store = openOn(cluster.first, name);
  await store.migrate();
  const { applicationId } = await openCorner(store);
  await query(
    cluster.first,
    `CREATE TRIGGER ${name}.slow BEFORE INSERT ON ${name}.tasks FOR EACH ROW DO SLEEP(0.5)`,
  );
  const tasks = ["a", "b", "c"].map((taskNo) => sampleTask(applicationId, { taskNo }));
  const creating = store.tasks.create(tasks);
  // The first row is in by then, the last one is not.
  await delay(700);
  await query(second, `UPDATE ${name}.applications SET remark = 'changed'`);
  const ids = (await creating).map((result) =>
    result.kind === "created" ? result.id : result.kind,
  );
  const rows = await query(cluster.first, `SELECT id FROM ${name}.tasks ORDER BY task_no`);
  const stored = rows.map((row) => Number(row["id"]));
  await store.close();
  const isRight = ids.join() === stored.join();
  return [
    {
      name: "a create that was undone once answers the ids of its rows",
      isRight,
      saw: `answered ${ids.join(", ")}; stored ${stored.join(", ")}`,
    },
  ];
}

async function membersComeAndGo(galera: PrivateGalera, seconds: number): Promise<Outcome[]> {
  const name = await createDatabase("traffic");
  const stores = [galera.first, second].map((node) => openOn(node, name));
  await stores[0]?.migrate();
  const traffic = await startTraffic(stores, () => query(second, "SELECT 1"));
  const steps = new Set<string>();
  const endAt = performance.now() + seconds * 1_000;
  while (performance.now() < endAt) await changeMembers(galera, steps);
  await traffic.stop();
  const outcomes = await judge(traffic, name);
  await Promise.all(stores.map((store) => store.close()));
  const saw = [...steps].sort().join(", ");
  return [
    ...outcomes,
    { name: "the cluster did change how open sessions count", isRight: steps.size > 1, saw },
  ];
}

/** An arbitrator comes, the second node leaves and comes back, the arbitrator leaves. */
async function changeMembers(galera: PrivateGalera, steps: Set<string>): Promise<void> {
  const watch = async () => {
    await delay(BETWEEN_CHANGES_MS);
    const [row] = await query(galera.first, "SELECT @@auto_increment_increment AS step");
    steps.add(String(row?.["step"]));
  };
  const arbitrator = await galera.startArbitrator();
  await watch();
  await second.terminate();
  await watch();
  await second.restart();
  await watch();
  // In order: a member that is killed counts as one for some seconds more.
  await arbitrator.terminate();
  await arbitrator.stop();
  await watch();
}

async function judge(traffic: Traffic, name: string): Promise<Outcome[]> {
  const { answered, claims, rejected, refusals } = traffic;
  const nodes = [cluster.first, second];
  const found = await Promise.all(nodes.map((node) => compare(node, name, traffic)));
  const twice = [...claims.values()].filter((times) => times > 1).length;
  const isBusy = answered.size > 100 && claims.size > 100;
  return [
    {
      name: "every answered id belongs to its number, and none is lost, on both nodes",
      isRight: isBusy && found.every(({ lost, wrong }) => lost + wrong === 0),
      saw: `${answered.size} answered, ${refusals} told to come again; ${JSON.stringify(found)}`,
    },
    {
      name: "no task is claimed twice",
      isRight: twice === 0 && isBusy,
      saw: `${claims.size} claimed, ${twice} twice`,
    },
    {
      name: "no task is rejected",
      isRight: rejected.length === 0,
      saw: `${rejected.length}: ${rejected.slice(0, 3).join("; ")}`,
    },
  ];
}

/** Answered numbers whose row has another id, or is not there, on this node. */
async function compare(node: PrivateMariadb, name: string, { applicationId, answered }: Traffic) {
  const rows = await query(
    node,
    `SELECT id, task_no FROM ${name}.tasks WHERE application_id = ${applicationId}`,
  );
  const stored = new Map(rows.map((row) => [String(row["task_no"]), Number(row["id"])]));
  const lost = [...answered].filter(([taskNo]) => !stored.has(taskNo));
  const wrong = [...answered].filter(([taskNo, id]) => (stored.get(taskNo) ?? id) !== id);
  return { lost: lost.length, wrong: wrong.length };
}

/** On both nodes: the second one hears of it a moment later, and waits for that when it is told to. */
async function createDatabase(name: string): Promise<string> {
  await query(cluster.first, `CREATE DATABASE ${name}`);
  await query(second, `SELECT 1 FROM information_schema.schemata WHERE schema_name = '${name}'`);
  return name;
}

function openOn(node: PrivateMariadb, name: string) {
  return createMysqlStore({ url: urlOf(node, name), poolSize: 4, logger });
}

function urlOf(node: PrivateMariadb, name: string): string {
  const url = new URL(node.url);
  url.pathname = `/${name}`;
  return url.href;
}

async function query(node: PrivateMariadb, sql: string): Promise<readonly RowDataPacket[]> {
  const connection = await createConnection({ uri: node.url });
  try {
    await connection.query("SET SESSION wsrep_sync_wait = 7");
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return Array.isArray(rows) ? rows : [];
  } finally {
    connection.destroy();
  }
}
