// Reads a job file's default export: either it is a job the catalogue can carry, or a sentence that says why not.
import { ISOLATIONS, TRACES } from "../../core/job.ts";
import { nearestNames } from "../../core/nearest-names.ts";
import { completeRetry, linearRetry } from "../../core/retry-policy.ts";
import { RETRY_STRATEGIES, type RetryPolicy } from "../../core/task.ts";
import { JOB_MARK, type Job } from "../../sdk/define-job.ts";
import type { JobDescription } from "../wire/protocol.ts";
import { paramsProblem } from "./params-schema.ts";

/** A job file's export, judged. */
export type LoadedJob =
  | { readonly kind: "loaded"; readonly job: Job; readonly description: JobDescription }
  /** `field` of the definition, where one is to blame. */
  | { readonly kind: "refused"; readonly message: string; readonly field?: string };

type Definition = Readonly<Record<string, unknown>>;
type Problem = { readonly field: string; readonly message: string };

const RETRY_FIELDS = ["step", "total", "strategy", "maxDelay", "jitter", "retryOnTimeout"];
const MAX_TIMEOUT_MS = 86_400_000;
/** Below it the runtime alone would be over the limit. */
const MEMORY_MB = [128, 1_048_576] as const;

/** Checks everything an author can get wrong, one problem at a time. */
export function describeJob(exported: unknown): LoadedJob {
  if (exported === undefined) {
    return refuse("it has no default export; write: export default defineJob({ … })");
  }
  if (!isJob(exported)) return refuse("its default export was not made with defineJob({ … })");
  const problem = jobProblem(exported as unknown as Definition);
  if (problem !== undefined) return { kind: "refused", ...problem };
  return { kind: "loaded", job: exported, description: describe(exported) };
}

function refuse(message: string): LoadedJob {
  return { kind: "refused", message };
}

function isJob(value: unknown): value is Job {
  return typeof value === "object" && value !== null && JOB_MARK in value;
}

function describe(job: Job): JobDescription {
  return {
    name: job.name,
    aliases: job.aliases ?? [],
    params: job.params === undefined ? null : plainJson(job.params),
    timeoutMs: job.timeout ?? null,
    retry: job.retry === undefined ? null : describeRetry(job.retry),
    isolation: job.isolation ?? null,
    memoryMb: job.memoryMb ?? null,
    trace: job.trace ?? "lean",
    ...(job.redact !== undefined && { redact: job.redact }),
  };
}

function describeRetry({ step, total, ...more }: NonNullable<Job["retry"]>): RetryPolicy {
  return completeRetry(more, linearRetry(step, total));
}

function plainJson(schema: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;
}

/** What is wrong with each field, in the order in which it is told. */
const CHECKS: Readonly<Record<string, (value: unknown, job: Definition) => string | undefined>> = {
  name: (name) => nameProblem("name", name),
  aliases: (aliases, { name }) => aliasProblem(aliases, name),
  params: (params) => (params === undefined ? undefined : paramsProblem(params)),
  timeout: (timeout) => rangeProblem("timeout", timeout, [1, MAX_TIMEOUT_MS]),
  retry: retryProblem,
  isolation: (isolation) => choiceProblem("isolation", isolation, ISOLATIONS),
  memoryMb: (memoryMb, { isolation }) => memoryProblem(memoryMb, isolation),
  trace: (trace) => choiceProblem("trace", trace, TRACES),
  redact: redactProblem,
  run: (run) => (typeof run === "function" ? undefined : "run must be a function"),
};
const FIELDS = Object.keys(CHECKS);

function jobProblem(job: Definition): Problem | undefined {
  const unknown = Object.keys(job).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) {
    const [likely] = nearestNames(unknown, FIELDS).likely;
    const hint = likely === undefined ? "" : `; did you mean '${likely}'?`;
    const message = `defineJob knows no field '${unknown}'${hint}; allowed: ${FIELDS.join(", ")}`;
    return { field: unknown, message };
  }
  for (const [field, check] of Object.entries(CHECKS)) {
    const problem = check(job[field], job);
    // The name is known to be fine once another field is looked at.
    const whose = field === "name" ? "" : `job '${String(job["name"])}': `;
    if (problem !== undefined) return { field, message: `${whose}${problem}` };
  }
  return;
}

/** Also what the database would compare loosely is refused: white space at the ends, control characters. */
function nameProblem(field: string, name: unknown): string | undefined {
  const rule = `${field} must be a text of 1–128 visible characters without white space at its ends`;
  if (typeof name !== "string") return `${rule}, not ${typeof name}`;
  const isFine = /^[^\p{C}\p{Z}](?:[^\p{C}]{0,126}[^\p{C}\p{Z}])?$/u.test(name);
  return isFine ? undefined : `${rule}, not ${JSON.stringify(name.slice(0, 200))}`;
}

function aliasProblem(aliases: unknown, name: unknown): string | undefined {
  if (aliases === undefined) return;
  if (!Array.isArray(aliases)) return "aliases must be a list of names";
  for (const [index, alias] of aliases.entries()) {
    const problem = nameProblem(`aliases[${index}]`, alias);
    if (problem !== undefined) return problem;
    const isTwice = alias === name || aliases.indexOf(alias) !== index;
    if (isTwice) return `aliases[${index}] repeats ${JSON.stringify(alias)}`;
  }
  return;
}

function rangeProblem(
  field: string,
  value: unknown,
  [least, most]: readonly [number, number],
): string | undefined {
  if (value === undefined) return;
  const isFine = Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
  return isFine ? undefined : `${field} must be a whole number from ${least} to ${most}`;
}

function retryProblem(retry: unknown): string | undefined {
  if (retry === undefined) return;
  if (typeof retry !== "object" || retry === null) return "retry must be { step, total }";
  const given = retry as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).find((field) => !RETRY_FIELDS.includes(field));
  if (unknown !== undefined) {
    return `retry knows no field '${unknown}'; allowed: ${RETRY_FIELDS.join(", ")}`;
  }
  const { step, total, strategy, maxDelay } = given;
  if (step === undefined || total === undefined) return "retry needs both step and total";
  return (
    rangeProblem("retry.step", step, [0, 3600]) ??
    rangeProblem("retry.total", total, [0, 100]) ??
    rangeProblem("retry.maxDelay", maxDelay, [0, 86_400]) ??
    choiceProblem("retry.strategy", strategy, RETRY_STRATEGIES) ??
    flagProblem("retry.jitter", given["jitter"]) ??
    flagProblem("retry.retryOnTimeout", given["retryOnTimeout"])
  );
}

function choiceProblem(
  field: string,
  value: unknown,
  choices: readonly unknown[],
): string | undefined {
  if (value === undefined || choices.includes(value)) return;
  return `${field} must be one of ${choices.join(", ")}`;
}

function flagProblem(field: string, value: unknown): string | undefined {
  return value === undefined || typeof value === "boolean"
    ? undefined
    : `${field} must be true or false`;
}

/** An empty text is part of every key. */
function redactProblem(redact: unknown): string | undefined {
  if (redact === undefined) return;
  const isKey = (key: unknown) => typeof key === "string" && key !== "" && key.length <= 100;
  const isFine = Array.isArray(redact) && redact.length <= 100 && redact.every(isKey);
  return isFine ? undefined : "redact must be a list of at most 100 keys of 1–100 characters";
}

/** A thread's memory cannot be told apart from that of its executor. */
function memoryProblem(memoryMb: unknown, isolation: unknown): string | undefined {
  if (memoryMb === undefined) return;
  if (isolation !== "process")
    return 'memoryMb needs isolation: "process": only a process has memory of its own';
  return rangeProblem("memoryMb", memoryMb, MEMORY_MB);
}
