// A server's process: the real API on a store of its own, or a bare handler to compare it with.
import { Elysia } from "elysia";
import { createBus, createQueue, createStore } from "../src/adapters.ts";
import { loadConfig } from "../src/config/config.ts";
import { createSecretBox, keyFromText } from "../src/core/secret-box.ts";
import { listen } from "../src/http/listen.ts";
import { createHttpApp } from "../src/http/server.ts";
import { createLogger } from "../src/log.ts";
import { createTaskSubmitter } from "../src/use-cases/submit-task.ts";
import { answerParent } from "./child.ts";
import { NOOP } from "./sample.ts";

/** What a server's process is asked. */
export type ServerQuestion = ServerStart | { readonly kind: "cpu" };

export type ServerStart =
  | {
      readonly kind: "api";
      /** Settings, as an operator would give them. */
      readonly env: Readonly<Record<string, string>>;
      readonly coalesce: boolean;
    }
  | { readonly kind: "bare" };

answerParent((question) => answer(question as ServerQuestion));

/** The port, or the µs of CPU this process has used. */
async function answer(question: ServerQuestion): Promise<number> {
  if (question.kind === "api") return startApi(question);
  if (question.kind === "bare") return startBare();
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** As `src/api.ts` puts it together, with requests logged as in operation. */
async function startApi({ env, coalesce }: ServerStart & { kind: "api" }): Promise<number> {
  const config = loadConfig({ env });
  const logger = createLogger({ level: config.logLevel });
  const store = await createStore({ config, logger }, { poolSize: 10 });
  await store.migrate();
  await store.catalogue.publish("bench", [NOOP]);
  const queue = await createQueue({ config, logger }, []);
  const bus = await createBus({ config, logger }, []);
  const { timezone } = config;
  const app = createHttpApp({
    config,
    logger,
    store,
    queue,
    bus,
    secretBox: createSecretBox(keyFromText(config.secretKey ?? "the bench's key")),
    submitter: createTaskSubmitter({ store, queue, logger, timezone, coalesce }),
    nowMs: Date.now,
    version: "bench",
    readiness: async () => ({ ready: true, checks: {} }),
  });
  const server = await listen(app, { host: "127.0.0.1", port: 0 });
  return server.port;
}

/** What any Elysia route costs: JSON in, the envelope out, served by Elysia's own `listen`. */
async function startBare(): Promise<number> {
  let taskId = 0;
  const app = new Elysia().post(
    "/task/create",
    ({ body }) => {
      const { taskNo } = body as { taskNo?: unknown };
      taskId += 1;
      return typeof taskNo === "string"
        ? { code: 0, msg: "ok!", data: { taskId } }
        : { code: 1, msg: "no taskNo", data: [] };
    },
    { parse: "json" },
  );
  app.listen({ hostname: "127.0.0.1", port: 0 });
  if (app.server?.port === undefined) throw new Error("the bare server has no port");
  return app.server.port;
}
