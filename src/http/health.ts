// The routes for load balancers and operators: is the process alive, and should it get requests.
import { Type } from "@sinclair/typebox";
import type { Logger } from "../core/logger.ts";
import { named } from "../core/views/named.ts";
import { type ReadinessView, readinessSchema } from "../core/views/readiness.ts";
import { oneOf } from "../core/views/shapes.ts";
import { createApp, type HttpApp } from "./app.ts";
import { respond, succeed } from "./envelope.ts";
import { envelopeOf, json, operation } from "./operation.ts";
import type { Readiness } from "./readiness.ts";
import type { Route } from "./route.ts";

export interface HealthDeps {
  /** Asked at every `/readyz`. */
  readonly readiness: () => Promise<Readiness>;
  /** Absent: these requests are not logged. */
  readonly logger?: Logger;
}

const RETRY_AFTER_S = 1;

/** Only `/healthz` and `/readyz`, for a process that executes and serves no API. */
export function createHealthApp(deps: HealthDeps): HttpApp {
  return createApp(healthRoutes(deps), deps.logger);
}

/** `GET /healthz` and `GET /readyz`. */
export function healthRoutes(deps: HealthDeps): Route[] {
  return [
    {
      method: "GET",
      path: "/healthz",
      operation: healthOperation,
      answer: () => succeed({ status: "up" }),
    },
    {
      method: "GET",
      path: "/readyz",
      operation: readyOperation,
      answer: async () => readinessResponse(await deps.readiness()),
    },
  ];
}

function readinessResponse({ ready, checks, ...shown }: Readiness): Response {
  const down = Object.keys(checks).filter((name) => checks[name] !== "up");
  const usable = down.length === 0 ? "ready" : "degraded";
  const data: ReadinessView = { status: ready ? usable : "unavailable", down, checks, ...shown };
  if (!ready) {
    const headers = { "retry-after": String(RETRY_AFTER_S) };
    return respond(503, { code: 1, msg: "not ready", data }, headers);
  }
  return succeed(data);
}

const healthOperation = operation({
  id: "healthz",
  tag: "health",
  summary: "Is the process alive",
  description: "Answers as long as the process serves at all.",
  proof: "none",
  data: named("Health", Type.Object({ status: oneOf(["up"]) })),
  examples: { up: { code: 0, msg: "ok!", data: { status: "up" } } },
  errors: [],
});

const ready = operation({
  id: "readyz",
  tag: "health",
  summary: "Should requests be sent here",
  description:
    "503 while draining, until the executor of this start has published its jobs, while the database is away, and after a failed write until one succeeds. Without Redis, nsqd or a living executor tasks are accepted: `degraded`, named in `down`, still 200.",
  proof: "none",
  data: readinessSchema,
  examples: {
    ready: {
      code: 0,
      msg: "ok!",
      data: { status: "ready", down: [], checks: { database: "up", queue: "up", bus: "up" } },
    },
    degraded: {
      code: 0,
      msg: "ok!",
      data: {
        status: "degraded",
        down: ["queue"],
        checks: { database: "up", queue: "degraded: away", bus: "up", executors: "up" },
      },
    },
    noExecutor: {
      code: 0,
      msg: "ok!",
      data: {
        status: "degraded",
        down: ["executors"],
        checks: { database: "up", queue: "up", bus: "up", executors: "degraded: no_executor" },
        executors: [],
      },
    },
  },
  errors: [],
});

const readyOperation = {
  ...ready,
  responses: {
    ...(ready["responses"] as Readonly<Record<string, unknown>>),
    "503": {
      description: "Not ready.",
      content: json(envelopeOf(readinessSchema, 1), {
        database: {
          code: 1,
          msg: "not ready",
          data: { status: "unavailable", down: ["database"], checks: { database: "away" } },
        },
      }),
    },
  },
};
