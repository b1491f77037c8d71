// Successes below /api/v1: the data alone, without an envelope.
import { wellFormedJson } from "../core/well-formed.ts";

/** 200 with the data as JSON; nobody may store it. */
export function plainResponse(data: unknown): Response {
  return new Response(`${wellFormedJson(JSON.stringify(data))}\n`, {
    headers: {
      "content-type": "application/json;charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
