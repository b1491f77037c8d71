// The app that serves the whole API and its documentation.
import { cacheApplications } from "../use-cases/cached-applications.ts";
import { createApp, type HttpApp } from "./app.ts";
import { applicationRotateRoute } from "./application-rotate.ts";
import { applicationRoutes } from "./applications.ts";
import type { ApiDeps, HttpDeps } from "./deps.ts";
import { docsRoutes } from "./docs.ts";
import {
  createEventStreams,
  type EventStreams,
  type EventStreamsOptions,
} from "./event-streams.ts";
import { healthRoutes } from "./health.ts";
import { hostsRoute } from "./hosts.ts";
import { jobsRoute } from "./jobs.ts";
import { openApiText } from "./openapi.ts";
import { createBodies } from "./raw-body.ts";
import type { Route } from "./route.ts";
import { taskAttemptsRoute } from "./task-attempts.ts";
import { taskCancelRoute } from "./task-cancel.ts";
import { taskCreateRoute } from "./task-create.ts";
import { taskDetailRoutes } from "./task-detail.ts";
import { taskEventsRoutes } from "./task-events.ts";
import { taskPublishRoute } from "./task-publish.ts";

/** The API; its streams stay open until they are told to end. */
export interface ApiApp extends HttpApp {
  /** Ends the streams with a word to their clients, and refuses new ones: before the server stops. */
  endStreams(): void;
}

/** Tests set them. */
export interface ApiLimits extends Omit<EventStreamsOptions, "logger"> {
  /** How long a body may take, besides a second per 64 KiB. */
  readonly bodyPatienceMs?: number;
}

/**
 * The API with its documentation.
 * @example
 * const app = createHttpApp(deps);
 * const server = await listen(app, { host: "127.0.0.1", port: 9502 });
 */
export function createHttpApp(deps: ApiDeps, limits: ApiLimits = {}): ApiApp {
  const applications = cacheApplications(deps.store.applications);
  const { tasks, attempts, executors, catalogue } = deps.store;
  const streams = createEventStreams({ ...limits, logger: deps.logger });
  const store = { applications, tasks, attempts, executors, catalogue };
  const { bodyPatienceMs: patienceMs } = limits;
  const bodies = createBodies({ ...deps.config, ...(patienceMs && { patienceMs }) });
  const routes = apiRoutes({ ...deps, store, bodies }, streams);
  const docs = docsRoutes(() => openApiText(routes, deps.version));
  return { ...createApp([...routes, ...docs], deps.logger), endStreams: streams.close };
}

/** In the order of the document. */
function apiRoutes(deps: HttpDeps, streams: EventStreams): Route[] {
  return [
    ...applicationRoutes(deps),
    applicationRotateRoute(deps),
    taskCreateRoute(deps),
    taskCancelRoute(deps),
    ...taskDetailRoutes(deps),
    taskAttemptsRoute(deps),
    ...taskEventsRoutes(deps, streams),
    taskPublishRoute(deps),
    jobsRoute(deps),
    hostsRoute(deps),
    ...healthRoutes(deps),
  ];
}
