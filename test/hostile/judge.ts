// Sends hostile requests to a running program and judges what every answer must be, whatever was sent.
import openapi from "../../docs/openapi.json";
import { signedHeaders } from "../support/api-client.ts";
import { patienceMs } from "../support/patience.ts";

export interface Target {
  readonly url: string;
  readonly key: { readonly appKey: string; readonly secret: string };
  readonly adminToken: string;
}

export interface HostileRequest {
  /** What is wrong with it, for the report. */
  readonly what: string;
  readonly path: string;
  /** Its path in the document. */
  readonly documented: string;
  readonly body: Uint8Array | string;
}

export interface Judged {
  readonly status: number;
  readonly text: string;
  /** What is not as it must be; null: right. */
  readonly wrong: string | null;
}

type Operations = Readonly<Record<string, Readonly<Record<string, { responses: object }>>>>;
const documented = openapi.paths as unknown as Operations;

/** Signed and with the operator's token: only the body can be refused. */
export async function sendHostile(target: Target, request: HostileRequest): Promise<Judged> {
  const body = Buffer.from(request.body);
  const signedBytes = Buffer.concat([Buffer.from(`POST ${request.path}\n`), body]);
  const answer = await fetch(target.url + request.path, {
    method: "POST",
    headers: {
      ...signedHeaders(target.key, signedBytes),
      "content-type": "application/json",
      authorization: `Bearer ${target.adminToken}`,
    },
    body,
    signal: AbortSignal.timeout(patienceMs()),
  });
  const text = await answer.text();
  return { status: answer.status, text, wrong: problemOf(request.documented, answer, text) };
}

function problemOf(path: string, { status, headers }: Response, text: string): string | null {
  const known = Object.keys(documented[path]?.["post"]?.responses ?? {});
  const type = headers.get("content-type") ?? "none";
  const checks: readonly (readonly [boolean, string])[] = [
    [status < 500, `status ${status}`],
    [known.length === 0 || known.includes(String(status)), `status ${status} is not documented`],
    [/^application\/(problem\+)?json/.test(type), `content type ${type}`],
    [isJson(text), `no JSON: ${text.slice(0, 80)}`],
    [!/\bat .*\.ts:\d+/.test(text) && !text.includes("node_modules"), "it tells our code"],
  ];
  const problems = checks.flatMap(([isRight, problem]) => (isRight ? [] : [problem]));
  return problems.length === 0 ? null : problems.join("; ");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
