// Runs the whole program for the parts of the bench that execute jobs: embedded, and on servers where there are some.
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type Program, startProgram } from "../test/support/program.ts";
import type { Services } from "../test/support/services.ts";

export const JOBS_DIR = fileURLToPath(new URL("jobs", import.meta.url));

export interface Shape {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The shapes that can run here. `database` is the URL of an empty MySQL database. */
export function shapesHere(services: Services, database: string | undefined): Shape[] {
  const { redis, nsqd } = services;
  const embedded = { name: "embedded", env: { JOBS_DIR } };
  if (database === undefined || redis === undefined || nsqd === undefined) return [embedded];
  const env = {
    JOBS_DIR,
    DATABASE_URL: database,
    SECRET_KEY: "a key that only the bench uses, 32+",
    REDIS_URL: redis.url,
    NSQD_TCP_ADDRESSES: nsqd.tcpAddress,
    NSQLOOKUPD_HTTP_ADDRESSES: nsqd.lookupdHttpAddress,
    NSQ_TOPIC: `bench-${randomBytes(4).toString("hex")}`,
  };
  return [embedded, { name: "servers", env }];
}

/** Starts the program, gives it to `work`, and ends it. */
export async function withProgram<T>(
  { env }: Shape,
  work: (program: Program) => Promise<T>,
): Promise<T> {
  const program = await startProgram({ env });
  try {
    return await work(program);
  } finally {
    await program.stop();
  }
}
