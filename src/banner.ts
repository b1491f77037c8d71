// What `start` tells the person in front of it: where everything is, and the first command to try.
import type { Config } from "./config/config.ts";
import { ownUrl } from "./core/host-port.ts";
import type { LoadedJobs } from "./executor/consumer-protocol.ts";

export interface BannerFacts {
  readonly config: Config;
  readonly version: string;
  /** Null in a process without an executor. */
  readonly jobs: LoadedJobs | null;
}

const SHAPES: Readonly<Record<Config["shape"], string>> = {
  embedded: "embedded (SQLite, queue and bus in this process tree)",
  mysql: "mysql alone (queue and bus in this process tree)",
  servers: "servers (MySQL + Redis + NSQ)",
};

/** Lines for a person; programs read the log. */
export function bannerText({ config, version, jobs }: BannerFacts): string {
  const url = ownUrl(config);
  const rows: [string, string][] = [["Shape", SHAPES[config.shape]]];
  if (config.role === "executor") rows.push(["Health", `${url}/healthz`]);
  else rows.push(["API", url], ["Swagger UI", `${url}/swagger`]);
  if (jobs !== null) rows.push(...executorRows(config, jobs));
  rows.push(["Time zone", config.timezone]);
  if (config.isZoneAssumed)
    rows.push(["", "! APP_TIMEZONE is not set: times without a zone are read in this machine's"]);
  const lines = rows.map(([name, text]) => `  ${name.padEnd(10)}  ${text}`);
  const next = config.role === "executor" ? [] : firstStep(config, url);
  return [`Serendipity Job ${version}`, ...lines, ...next, ""].join("\n");
}

function executorRows(config: Config, { jobs, badFiles }: LoadedJobs): [string, string][] {
  const names = jobs.map(({ definition }) => definition.name);
  const { jobsDir } = config;
  const found =
    names.length === 0
      ? `none found in ${jobsDir}`
      : `${names.length} in ${jobsDir}: ${names.join(", ")}`;
  const bad = badFiles.map(({ file, message }): [string, string] => ["", `! ${file}: ${message}`]);
  const slots = `${config.executorSlots} jobs and ${config.callbackConcurrency} callbacks at once`;
  return [["Jobs", found], ...bad, ["Slots", slots]];
}

function firstStep(config: Config, url: string): string[] {
  const bearer = config.adminToken === null ? "" : `-H "Authorization: Bearer $ADMIN_TOKEN" `;
  const body = `{"appName":"demo","linkUrl":"${url}/"}`;
  return [
    "",
    "  Create the first application (its secretKey is shown only once):",
    `    curl -sS ${url}/application/create ${bearer}-H 'content-type: application/json' -d '${body}'`,
    '  Then sign and post a task: README.md, "Your first task".',
  ];
}
