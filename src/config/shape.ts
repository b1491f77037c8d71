// Decides which of the three shapes the settings describe, and what does not fit together.
import { isLoopbackHost } from "../core/loopback.ts";
import type { Problem } from "./problems.ts";
import type { SettingValues } from "./settings.ts";

const shapes = [
  "exactly three: embedded (DATABASE_URL unset or sqlite:…, no REDIS_URL, no NSQ…, ROLE=all)",
  "mysql alone (DATABASE_URL=mysql://…, no REDIS_URL, no NSQ…, ROLE=all)",
  "servers (DATABASE_URL=mysql://…, REDIS_URL and NSQD_TCP_ADDRESSES, any ROLE)",
].join("; ");

/** Values some of which may be missing because they broke their rule and were reported. */
type Values = Partial<SettingValues>;

/** The shape; undefined when it is none of the three, or when DATABASE_URL is broken. */
export function shapeOf(values: Values) {
  const has = serversIn(values);
  if (values.DATABASE_URL === undefined) return undefined;
  if (!has.redis && !has.nsqd && !has.lookupd) return has.mysql ? "mysql" : "embedded";
  return has.mysql && has.redis && has.nsqd ? "servers" : undefined;
}

// A broken value (undefined) was given all the same: only null means unset.
function serversIn(values: Values) {
  return {
    mysql: values.DATABASE_URL?.kind === "mysql",
    redis: values.REDIS_URL !== null,
    nsqd: values.NSQD_TCP_ADDRESSES !== null,
    lookupd: values.NSQLOOKUPD_HTTP_ADDRESSES !== null,
  };
}

/** Everything that is wrong between settings that are right by themselves. */
export function shapeProblems(values: Values): Problem[] {
  return [
    shapeProblem(values),
    roleProblem(values),
    secretProblem(values),
    hostProblem(values),
  ].filter((problem) => problem !== undefined);
}

function shapeProblem(values: Values): Problem | undefined {
  if (values.DATABASE_URL === undefined || shapeOf(values) !== undefined) return undefined;
  const has = serversIn(values);
  const missing = [
    has.mysql ? "" : "DATABASE_URL=mysql://…",
    has.redis ? "" : "REDIS_URL",
    has.nsqd ? "" : "NSQD_TCP_ADDRESSES",
  ].filter((name) => name !== "");
  const name = missing[0]?.replace(/=.*/, "") ?? "DATABASE_URL";
  const message = `missing for a complete set of servers: ${missing.join(", ")}; set all or none of them, the shapes are ${shapes}`;
  return { name, message };
}

function roleProblem(values: Values): Problem | undefined {
  const shape = shapeOf(values);
  const { ROLE: role } = values;
  if (shape === undefined || shape === "servers" || role === undefined || role === "all")
    return undefined;
  const message = `the shape "${shape}" runs in one process with ROLE=all; the shapes are ${shapes}`;
  return { name: "ROLE", value: role, message };
}

function secretProblem(values: Values): Problem | undefined {
  if (values.DATABASE_URL?.kind !== "mysql" || values.SECRET_KEY !== null) return undefined;
  const message =
    "is required with MySQL, the same text of at least 32 characters for every process " +
    "(openssl rand -base64 33)";
  return { name: "SECRET_KEY", message };
}

function hostProblem(values: Values): Problem | undefined {
  const { HOST: host, ROLE: role } = values;
  const isOpen = host !== undefined && !isLoopbackHost(host) && role !== "executor";
  if (!isOpen || values.ADMIN_TOKEN !== null) return undefined;
  const message =
    "is not a loopback address, so anybody could create applications: set ADMIN_TOKEN, or HOST=127.0.0.1";
  return { name: "HOST", value: host, message };
}
