// The load of a fault session, a process of its own: tasks of all kinds on either api, one after the other.
import { setTimeout as delay } from "node:timers/promises";
import { clientOf, type Envelope } from "../support/api-client.ts";
import { mulberry } from "../support/mulberry.ts";
import { openHistory } from "./history.ts";
import { type Asking, KINDS, type LoadSpec } from "./load-kinds.ts";

const ATTEMPTS_AT_ONE_REQUEST = 400;
const RETRY_MS = 50;
const REQUEST_LIMIT_MS = 8_000;

const spec = JSON.parse(process.argv[2] ?? "{}") as LoadSpec;
const note = openHistory(spec.history, "load");
const random = mulberry(spec.seed);
const own = spec.apis.map((url) => clientOf(url, spec.key));
const strangers = spec.apis.map((url) => clientOf(url, spec.stranger));
const underWay = new Set<Promise<void>>();
let isStopping = false;
let turn = 0;

process.on("SIGTERM", () => {
  isStopping = true;
});
await run();
await Promise.all(underWay);
note({ op: "load-ended", kind: "ok" });
process.exit(0);

async function run(): Promise<void> {
  const asking: Asking = { spec, note, random, ask, nextApi: () => next(spec.apis) };
  for (let made = 0; !isStopping; made++) {
    const kind = KINDS[made % KINDS.length] ?? KINDS[0];
    const one: Promise<void> = kind(asking)
      .catch((thrown: unknown) =>
        note({ op: "load-failed", kind: "fail", data: { why: String(thrown) } }),
      )
      .finally(() => underWay.delete(one));
    underWay.add(one);
    await delay(1_000 / spec.perSecond);
  }
}

/** Asks one api after the other until one answers; an answer that is lost leaves an `info`. */
async function ask<T>(path: string, body: unknown, isStranger = false): Promise<Envelope<T>> {
  for (let tries = 0; tries < ATTEMPTS_AT_ONE_REQUEST; tries++) {
    const asked = next(isStranger ? strangers : own).post<T>(path, body);
    const answer = await Promise.race([asked, delay(REQUEST_LIMIT_MS)]).catch(() => undefined);
    if (answer?.code !== undefined && !isUnavailable(answer)) return answer;
    note({ op: path, kind: "info" });
    await delay(RETRY_MS);
  }
  throw new Error(`no api answers ${path}`);
}

function next<T>(items: readonly T[]): T {
  turn += 1;
  const item = items[turn % items.length];
  if (item === undefined) throw new Error("there is no api");
  return item;
}

/** 503 and what a proxy or a dying api says. */
function isUnavailable({ code, msg }: Envelope<unknown>): boolean {
  return code !== 0 && /database|try again|unavailable|stopp|drain|has not stored/i.test(msg);
}
