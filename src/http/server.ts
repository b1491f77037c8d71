// The app that serves the whole API and its documentation.
import { cacheApplications } from "../core/cached-applications.ts";
import { createApp, type HttpApp } from "./app.ts";
import { applicationRotateRoute } from "./application-rotate.ts";
import { applicationRoutes } from "./applications.ts";
import type { HttpDeps } from "./deps.ts";
import { docsRoutes } from "./docs.ts";
import { healthRoutes } from "./health.ts";
import { hostsRoute } from "./hosts.ts";
import { openApiText } from "./openapi.ts";
import type { Route } from "./route.ts";
import { taskAttemptsRoute } from "./task-attempts.ts";
import { taskCancelRoute } from "./task-cancel.ts";
import { taskCreateRoute } from "./task-create.ts";
import { taskDetailRoutes } from "./task-detail.ts";
import { taskPublishRoute } from "./task-publish.ts";

/**
 * The API with its documentation.
 * @example
 * const app = createHttpApp(deps);
 * const server = await listen(app, { host: "127.0.0.1", port: 9502 });
 */
export function createHttpApp(deps: HttpDeps): HttpApp {
  const applications = cacheApplications(deps.store.applications);
  const { tasks, attempts, executors } = deps.store;
  const routes = apiRoutes({ ...deps, store: { applications, tasks, attempts, executors } });
  const docs = docsRoutes(() => openApiText(routes, deps.version));
  return createApp([...routes, ...docs], deps.logger);
}

/** In the order of the document. */
function apiRoutes(deps: HttpDeps): Route[] {
  return [
    ...applicationRoutes(deps),
    applicationRotateRoute(deps),
    taskCreateRoute(deps),
    taskCancelRoute(deps),
    ...taskDetailRoutes(deps),
    taskAttemptsRoute(deps),
    taskPublishRoute(deps),
    hostsRoute(deps),
    ...healthRoutes(deps),
  ];
}
