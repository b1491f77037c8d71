// The route that shows the hosts callbacks go to, and which of them are shut out.
import { Type } from "@sinclair/typebox";
import { type GateState, type HostsView, hostListSchema } from "../core/views/hosts.ts";
import { listHosts } from "../use-cases/list-hosts.ts";
import { ADMIN_CHALLENGE, requireAdmin } from "./admin.ts";
import type { HttpDeps } from "./deps.ts";
import { plainOperation } from "./operation.ts";
import { plainResponse } from "./plain.ts";
import type { Route } from "./route.ts";

/** `GET /api/v1/hosts`. */
export function hostsRoute(deps: HttpDeps): Route {
  return {
    method: "GET",
    path: "/api/v1/hosts",
    operation: hostsOperation,
    challenge: ADMIN_CHALLENGE,
    failures: "problem",
    answer: async (exchange) => {
      requireAdmin(deps.config, exchange);
      return plainResponse(await listHosts(deps));
    },
  };
}

const openState: GateState = {
  state: "open",
  inFlight: 0,
  failures: 7,
  nextTry: 1_626_418_783_000,
};

const hostsExample: HostsView = {
  hosts: [
    {
      host: "shop.example:443",
      ...openState,
      applications: [
        {
          appKey: "E3F5l1uKFcXUe1gd",
          ...openState,
          state: "closed",
          failures: 4,
          nextTry: null,
        },
      ],
      omitted: 0,
      executors: [{ serviceId: "executor-1", ...openState }],
    },
  ],
  silent: [],
};

const hostsOperation = plainOperation({
  id: "listHosts",
  tag: "callbacks",
  summary: "Show the hosts that callbacks go to",
  description:
    "Needs the ADMIN_TOKEN as for /application/create. Each application has a breaker at its host: after 5 failures in a row it is `open`: its tasks wait until `nextTry`, without an attempt. Then it is `half-open`: one delivery at a time, until one is answered. The host's own breaker is about what no application is to blame for: 5 times in a row nobody was answered, seen from at least 2 applications. While it is not `closed`, one delivery at a time tries it, of each application in turn, and the next one a second later if that is not answered. Every executor learns by itself, and is asked here; the totals say the worst state and the sum of the deliveries. What was idle for 10 minutes is forgotten.",
  proof: "admin",
  path: Type.Object({}),
  answer: hostListSchema,
  examples: { oneOpen: hostsExample },
  errors: ["Unauthorised", "Unavailable"],
});
