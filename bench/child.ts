// Runs a script of the bench as a process of its own: it answers questions one by one, and ends with its parent.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { messageOf } from "../src/core/errors.ts";

export interface Child {
  /** Rejects when the script throws, or ends instead of answering. One question at a time. */
  ask<Answer>(question: object): Promise<Answer>;
  stop(): Promise<void>;
}

type Reply = { readonly value: unknown } | { readonly error: string };

/** Starts `script`, which calls `answerParent`. What it prints to standard output is thrown away. */
export async function startChild(script: URL): Promise<Child> {
  const child = fork(fileURLToPath(script), [], {
    execArgv: ["--no-install"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const nextReply = (): Promise<Reply> =>
    Promise.race([
      new Promise<Reply>((resolve) => child.once("message", (reply) => resolve(reply as Reply))),
      exited.then(() => ({ error: `${script.pathname} ended without an answer` })),
    ]);
  valueIn(await nextReply());
  return {
    ask: async <Answer>(question: object) => {
      const reply = nextReply();
      child.send(question);
      return valueIn(await reply) as Answer;
    },
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** The other side: says that it listens, then answers each question. */
export function answerParent(answer: (question: unknown) => Promise<unknown>): void {
  const reply = (message: Reply) => process.send?.(message);
  process.on("disconnect", () => process.exit(0));
  process.on("message", (question) => {
    answer(question).then(
      (value) => reply({ value }),
      (thrown: unknown) => reply({ error: messageOf(thrown) }),
    );
  });
  reply({ value: "listening" });
}

function valueIn(reply: Reply): unknown {
  if ("error" in reply) throw new Error(reply.error);
  return reply.value;
}
