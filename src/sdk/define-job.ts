// defineJob: turns what an author writes into a job the catalogue can recognise.
import type { Static, TSchema, TUnknown } from "@sinclair/typebox";
import type { JobContext } from "./job-context.ts";

/** What an author says about a job. */
export interface JobSpec<Params extends TSchema = TUnknown> {
  /**
   * The name tasks ask for in `content.class`. 1–128 visible characters, unique in the catalogue.
   * @example "send-invoice"
   */
  readonly name: string;
  /** Other names for the same job: former ones, or those that existing callers use. */
  readonly aliases?: readonly string[];
  /**
   * The shape of `params` as a TypeBox schema. It is checked when a task is created, and again when it runs. Only
   * what JSON Schema can say: no `Type.Date()`, `Type.Function()`, `Type.Undefined()`, transforms and the like.
   * Without it anything is accepted.
   * @example Type.Object({ month: Type.String({ pattern: "^\\d{4}-\\d{2}$" }) })
   */
  readonly params?: Params;
  /** Longest time of one attempt in milliseconds (1–86,400,000); a task may ask for less, never for more. */
  readonly timeout?: number;
  /**
   * How often to try again, instead of what the application says: the n-th retry comes `min(step × n, 3600)` seconds
   * after the failed attempt.
   * @example { step: 30, total: 3 } // after 30, 60 and 90 s, four attempts in all
   */
  readonly retry?: {
    /** Seconds, 0–3600. */
    readonly step: number;
    /** Retries, 0–100. */
    readonly total: number;
    /**
     * How the delay grows: `linear` (default) by `step`, `fixed` not at all, `exponential` as `step × 2^(n−1)`.
     */
    readonly strategy?: "linear" | "fixed" | "exponential";
    /** No delay is longer: seconds, 0–86,400. Default 3,600. */
    readonly maxDelay?: number;
    /** True draws each delay between 0 and what the strategy says. Default false. */
    readonly jitter?: boolean;
    /** False: an attempt that timed out fails the task. Default true. */
    readonly retryOnTimeout?: boolean;
  };
  /**
   * `warm` (default): the thread and the modules in it are used again by later attempts of the same job, so that
   * module-level state stays. `fresh`: every attempt gets a thread of its own, at the price of its start. `process`
   * (default on Deno): a warm process of its own, which can be killed whatever its code is blocked in, together with
   * the processes it started.
   */
  readonly isolation?: "warm" | "fresh" | "process";
  /**
   * Most resident memory of the process in MB (128–1,048,576), the runtime's own 60–120 MB included; an attempt over it
   * is `crashed` with the reason `out_of_memory`. Only with `isolation: "process"`.
   */
  readonly memoryMb?: number;
  /**
   * How exactly the job can be watched, which costs a little of its speed. `lean` (default): the line it is in, while
   * it spins and while it waits. `full`: also the frames of small functions. `functions`: functions, with a line only
   * where they begin or wait. `off`: nothing but the last call of `ctx`.
   */
  readonly trace?: "off" | "functions" | "lean" | "full";
  /**
   * More keys whose values are never shown, besides those that contain `password`, `secret`, `token`, `authorization`
   * or `cookie`: in what is watched and logged, at any depth, in any case, also as a part of a longer key.
   * @example ["iban", "birthday"]
   */
  readonly redact?: readonly string[];
  /**
   * The work. What it returns (or resolves to) is the task's result: JSON, at most 1 MiB, `undefined` becomes null.
   * A rejection fails the attempt, and the task is tried again while retries are left; see `NonRetryableError`.
   */
  run(params: Static<Params>, ctx: JobContext): unknown;
}

/** By this mark the platform knows that a value was made here, whichever copy of this module made it. */
export const JOB_MARK: unique symbol = Symbol.for("serendipity-job.job");

/** A job, ready to be the default export of its file. */
export type Job<Params extends TSchema = TUnknown> = JobSpec<Params> & {
  readonly [JOB_MARK]: true;
};

/**
 * Defines the job of this file. The file must export it as its default and lie directly in JOBS_DIR.
 *
 * @example
 * ```ts
 * import { defineJob, Type } from "serendipity-job";
 *
 * export default defineJob({
 *   name: "greet",
 *   params: Type.Object({ who: Type.String() }),
 *   timeout: 5_000,
 *   async run(params, ctx) {
 *     ctx.log(`greeting ${params.who}`);
 *     return { text: `Hello, ${params.who}!` };
 *   },
 * });
 * ```
 */
export function defineJob<Params extends TSchema = TUnknown>(spec: JobSpec<Params>): Job<Params> {
  return Object.freeze({ ...spec, [JOB_MARK]: true as const });
}
