// What is delivered to an application's linkUrl, for the document: the one request that the platform makes itself.
import { Type } from "@sinclair/typebox";
import { named } from "../core/views/named.ts";
import { anyObject } from "../core/views/shapes.ts";
import { json } from "./operation.ts";

/** The content of a task that is delivered. */
export const callbackContent = named(
  "CallbackContent",
  anyObject("Without `class`: delivered to the linkUrl as `data`."),
);

const delivered = named("CallbackBody", Type.Object({ data: callbackContent }));

const HEADERS: readonly { readonly name: string; readonly is: string; readonly rare?: true }[] = [
  // The spelling with a hyphen stays in words: generators make one name of both, twice.
  {
    name: "app_key",
    is: "The application's key; sent as `app-key` as well, because many servers drop names with an underscore.",
  },
  { name: "nonce", is: "Random text." },
  { name: "timestamps", is: "Epoch seconds of this attempt." },
  { name: "payload", is: "Lowercase hex of SHA-256 over the raw body." },
  {
    name: "signature",
    is: "base64 of the lowercase hex of HMAC-SHA256(secretKey, timestamps + nonce + payload).",
  },
  {
    name: "signature-previous",
    is: "The same with the replaced secret, in the grace of a rotation.",
    rare: true,
  },
  {
    name: "webhook-id",
    is: "The same for all attempts of a life of the task. The three webhook headers are absent only for applications older than callback secrets.",
    rare: true,
  },
  { name: "webhook-timestamp", is: "Epoch seconds of this attempt.", rare: true },
  {
    name: "webhook-signature",
    is: "As Standard Webhooks signs: `v1,` and base64 of HMAC-SHA256(callback key, webhook-id.webhook-timestamp.body); two of them in the grace of a rotation.",
    rare: true,
  },
  { name: "task-id", is: "The task's id, in digits." },
  { name: "attempt", is: "The attempt's number within its life, in digits." },
];

const answer = (description: string, example: string) => ({
  description,
  content: {
    "text/plain": { schema: { type: "string" }, examples: { answer: { value: example } } },
  },
});

const deliver = {
  operationId: "deliverCallback",
  tags: ["callbacks"],
  summary: "What is delivered to the linkUrl",
  description:
    "Sent for every task without `class`, at least once. It succeeds on 2xx with the body `success`, or with `successMatch: 2xx` on any 2xx.",
  security: [],
  parameters: HEADERS.map(({ name, is, rare }) => ({
    name,
    in: "header",
    required: rare !== true,
    description: is,
    schema: { type: "string" },
  })),
  requestBody: {
    required: true,
    content: json(delivered, { mail: { data: { order: 1001, template: "shipped" } } }),
  },
  responses: {
    "200": answer("Taken.", "success"),
    "410": answer("Never to be tried again.", "gone"),
    default: answer("Tried again as `retry` says; Retry-After is honoured on 429 and 503.", "busy"),
  },
};

/** Of the operation that takes the linkUrl. */
export const callbacks = { delivery: { "{$request.body#/linkUrl}": { post: deliver } } };
