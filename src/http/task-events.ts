// The routes that stream a task's events, and that give the ticket to open such a stream without a signature.
import { type Static, Type } from "@sinclair/typebox";
import { AppError } from "../core/errors.ts";
import { askStore } from "../core/store-answer.ts";
import { ticketSchema } from "../core/views/ticket.ts";
import { issueTicket, redeemTicket } from "../use-cases/event-ticket.ts";
import { watchTask } from "../use-cases/task-events.ts";
import { curlFor } from "./curl.ts";
import type { HttpDeps } from "./deps.ts";
import { succeed } from "./envelope.ts";
import { type EventStreams, STREAM_HEADERS } from "./event-streams.ts";
import { placeText } from "./event-text.ts";
import { createForm, type Form } from "./form.ts";
import { operation } from "./operation.ts";
import type { Exchange, Route } from "./route.ts";
import { taskId, text } from "./schemas.ts";
import { readSignedQuery, readSignedRaw, SIGNATURE_CHALLENGE } from "./signed.ts";

const EVENTS = "/task/:id/events";
const TICKET = "/task/:id/ticket";
const PATH_ID = /^\/task\/(\d{1,16})\/(?:events|ticket)$/;

const eventsQuery = Type.Object({
  ticket: Type.Optional(
    text({
      min: 1,
      max: 1_024,
      description: "From `POST /task/{id}/ticket`, in place of a signature.",
      example: "v1.…",
    }),
  ),
  lastEventId: Type.Optional(
    text({
      min: 1,
      max: 64,
      description: "The last event you have; the header `Last-Event-ID` wins over it.",
      example: "1-7",
    }),
  ),
});
type EventsQuery = Static<typeof eventsQuery>;

/** `GET /task/{id}/events` and `POST /task/{id}/ticket`. */
export function taskEventsRoutes(deps: HttpDeps, streams: EventStreams): Route[] {
  const curl = curlFor(deps.config, { path: "/task/81/ticket", body: {}, proof: "signature" });
  const form = createForm(eventsQuery, curl, "seed");
  return [
    {
      method: "GET",
      path: EVENTS,
      operation: eventsOperation,
      challenge: SIGNATURE_CHALLENGE,
      answer: (exchange) => stream({ deps, streams, form }, exchange),
    },
    {
      method: "POST",
      path: TICKET,
      operation: ticketOperation,
      challenge: SIGNATURE_CHALLENGE,
      answer: (exchange) => giveTicket(deps, exchange),
    },
  ];
}

interface StreamDeps {
  readonly deps: HttpDeps;
  readonly streams: EventStreams;
  readonly form: Form<EventsQuery>;
}

async function stream({ deps, streams, form }: StreamDeps, exchange: Exchange): Promise<Response> {
  const { applicationId, query } = await identifyWatcher(deps, exchange, form);
  const reference = { applicationId, id: pathId(exchange) };
  await requireTask(deps, reference);
  // A page of the application's own stands on another origin; the ticket in the URL is what gives the right.
  const origin = query.ticket === undefined ? {} : { "access-control-allow-origin": "*" };
  const { request } = exchange;
  if (request.method === "HEAD") {
    return new Response(null, { headers: { ...STREAM_HEADERS, ...origin } });
  }
  const lastId = request.headers.get("last-event-id") ?? query.lastEventId;
  const after = lastId === undefined || lastId === "" ? null : placeText(lastId);
  return streams.open({
    holder: { applicationId, ticket: query.ticket ?? null },
    watch: (signal) => watchTask(deps, { reference, after, signal }),
    headers: origin,
  });
}

async function identifyWatcher(deps: HttpDeps, exchange: Exchange, form: Form<EventsQuery>) {
  const ticket = exchange.url.searchParams.get("ticket");
  if (ticket !== null) {
    const { input: query } = form.fromQuery(exchange.url.searchParams);
    return { ...redeemTicket(deps, ticket, pathId(exchange)), query };
  }
  const { caller, input } = await readSignedQuery(deps, exchange, form);
  return { applicationId: caller.application.id, query: input };
}

async function giveTicket(deps: HttpDeps, exchange: Exchange): Promise<Response> {
  const { application } = await readSignedRaw(deps, exchange);
  const subject = { applicationId: application.id, taskId: pathId(exchange) };
  await requireTask(deps, { applicationId: application.id, id: subject.taskId });
  return succeed(issueTicket(deps, subject));
}

/** Another application's task is as little there as one that never was. */
async function requireTask(
  { store }: HttpDeps,
  reference: { readonly applicationId: number; readonly id: number },
): Promise<void> {
  const detail = await askStore(() => store.tasks.find(reference));
  if (detail === undefined) throw noSuchTask();
}

function pathId({ url }: Exchange): number {
  const id = Number(PATH_ID.exec(url.pathname)?.[1]);
  if (!Number.isSafeInteger(id)) throw noSuchTask();
  return id;
}

function noSuchTask(): AppError {
  return new AppError("not_found", "there is no such task");
}

const path = Type.Object({ id: taskId() });

const STREAM_EXAMPLE = `retry: 1000

id: 1-1
event: state
data: {"seq":1,"at":1626418779000,"type":"state","data":{"state":"running"}}

id: 1-2
event: log
data: {"seq":2,"at":1626418779012,"type":"log","data":{"level":"info","message":"day 1 of 5"}}

: still here

event: end
data: {"status":"succeeded"}
`;

const watching = operation({
  id: "watchTask",
  tag: "tasks",
  summary: "Stream a task's events",
  description:
    "Server-sent events of all attempts: history first, then live, from any api process. `id` is `attempt-seq` (attempts counted over all lives), `event` is `state log progress step watch checkpoint fetch result gap`, `data` is `{seq, at, type, data}`. Resume with `Last-Event-ID` or `?lastEventId=`. `event: reset` says that what followed your last event is gone, or that you were too slow, the live wire was lost or the stream is an hour old: then connect again. One application may have half of a process's streams, a ticket one at a time. A task that will run again keeps the stream open; `event: end` carries the final status: close then, or EventSource connects again. A comment every 10 s. Signed like a GET of detail, or with `?ticket=`. Unknown tasks and those of others: 404.",
  proof: "ticket",
  path,
  query: eventsQuery,
  data: Type.Object({}),
  examples: {},
  errors: ["Unauthorised", "Invalid", "Unavailable"],
});

const eventsOperation = {
  ...watching,
  responses: {
    ...(watching["responses"] as Readonly<Record<string, unknown>>),
    "200": {
      description: "The stream.",
      content: {
        "text/event-stream": {
          // Without a type: some tools read it as the schema of the body, others as that of one event.
          schema: { description: "Server-sent events, each with `id`, `event` and `data`." },
          examples: { succeeded: { value: STREAM_EXAMPLE } },
        },
      },
    },
  },
};

const ticketOperation = operation({
  id: "createTicket",
  tag: "tasks",
  summary: "Get a ticket to watch a task",
  description:
    "For a browser, which cannot sign: `new EventSource('/task/81/events?ticket=…')`. Good for one minute to connect, for this task only, at any api process. The body is empty or anything signed with it.",
  proof: "signature",
  path,
  data: ticketSchema,
  examples: {
    ticket: {
      code: 0,
      msg: "ok!",
      data: { ticket: "v1.TkM3c0pXb2d4…", expires_at: 1_626_418_839_000 },
    },
  },
  errors: ["Unauthorised", "TooLarge", "Unavailable"],
});
