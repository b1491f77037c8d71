// What a person sends first from the Swagger page, example by example, on a fresh installation.

import { expect } from "bun:test";
import openapi from "../../docs/openapi.json";
import { type Keys, signatureFor } from "../http/http-harness.ts";
import { eventually } from "../support/eventually.ts";
import { afterAll, beforeAll, describe, test } from "../support/long.ts";
import { type Program, startProgram } from "../support/program.ts";

interface Answer {
  readonly code: number;
  readonly data: Readonly<Record<string, unknown>>;
}

type Paths = Readonly<
  Record<
    string,
    {
      readonly post?: {
        readonly requestBody?: {
          readonly content: Readonly<
            Record<
              string,
              { readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }
            >
          >;
        };
      };
    }
  >
>;

/** The examples of a body, in the order in which the page offers them. */
function examplesOf(path: string): unknown[] {
  const body = (openapi.paths as Paths)[path]?.post?.requestBody;
  return Object.values(body?.content["application/json"]?.examples ?? {}).map(({ value }) => value);
}

describe("the first example of a body", () => {
  let program: Program;
  let keys: Keys;
  beforeAll(async () => {
    program = await startProgram({ env: { APP_TIMEZONE: "Asia/Shanghai" } });
    const { data } = await send("/application/create");
    keys = data as unknown as Keys;
  });
  afterAll(() => program.stop());

  async function send(path: string, place = 0): Promise<Answer> {
    const body = JSON.stringify(examplesOf(path)[place]);
    const signed = keys && signatureFor(keys, { method: "POST", path, body });
    const headers = { "content-type": "application/json", ...signed };
    const answer = await fetch(program.url + path, { method: "POST", headers, body });
    return (await answer.json()) as Answer;
  }

  test("creates a job that runs, shows it, kills it and runs it again", async () => {
    expect(await send("/task/create")).toMatchObject({ code: 0, data: { taskId: 1 } });
    await eventually(async () => {
      const { data } = await send("/task/detail");
      expect(data).toMatchObject({ id: 1, status: "running", vars: { from: 60 } });
      return data;
    });
    expect(await send("/task/cancel")).toMatchObject({ code: 0, data: { killed: true } });
    expect(await send("/nsq/publish")).toMatchObject({ code: 0 });
  });

  test("is followed by the original's class, which runs too", async () => {
    const created = await send("/task/create", 1);
    expect(created).toMatchObject({ code: 0, data: { taskId: 2 } });
    expect(created.data["warnings"]).toBeUndefined();
    expect(examplesOf("/task/create")[1]).toMatchObject({
      content: { class: "\\Serendipity\\Job\\Job\\SimpleJob" },
    });
  });
});
