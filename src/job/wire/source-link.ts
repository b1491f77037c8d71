// How a job worker asks its owner for a source while it is importing: it stands still until the answer is there.
import type { MessagePort } from "node:worker_threads";
import type { LoadedSource, PreparedSource, SourceSupply, TraceMode } from "./prepared-source.ts";
import { threads } from "./worker-threads.ts";

/** An owner that is busy for longer has other troubles: the job goes on without live lines. */
const ANSWER_LIMIT_MS = 10_000;

/** What the job worker gets; `port` is to be transferred. */
export interface SourceLink {
  readonly port: MessagePort;
  /** Counts the answers. */
  readonly answers: SharedArrayBuffer;
}

export type AskSource = (path: string) => PreparedSource;

interface Question {
  readonly id: number;
  readonly path: string;
  readonly mode: TraceMode;
}

interface Answer {
  readonly id: number;
  readonly source: PreparedSource;
}

/**
 * The owner's end: answers until it is closed. It does not keep the process alive. `onLoad` hears of each source before
 * the job worker has it.
 */
export function serveSources(
  sources: SourceSupply,
  onLoad: (source: LoadedSource) => void = () => undefined,
): {
  readonly link: SourceLink;
  /** What the job worker was given for a path last. */
  loaded(path: string): LoadedSource | undefined;
  close(): void;
} {
  const { port1, port2 } = new threads.MessageChannel();
  const given = new Map<string, LoadedSource>();
  const answers = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const count = new Int32Array(answers);
  const answer = async ({ id, path, mode }: Question) => {
    const source = await prepare(sources, path, mode);
    try {
      if (source.hash !== undefined) tell(loadedAs(path, source.hash, source));
    } finally {
      port1.postMessage({ id, source } satisfies Answer);
      Atomics.add(count, 0, 1);
      Atomics.notify(count, 0);
    }
  };
  const tell = (loaded: LoadedSource) => {
    given.set(loaded.path, loaded);
    onLoad(loaded);
  };
  port1.on("message", (question: Question) => {
    // Without the note less is known after a death; the job runs all the same.
    answer(question).catch(() => undefined);
  });
  port1.unref();
  return {
    link: { port: port2, answers },
    loaded: (path) => given.get(path),
    close: () => port1.close(),
  };
}

function loadedAs(path: string, hash: string, source: PreparedSource): LoadedSource {
  return source.kind === "rewritten" ? { path, hash, copy: source.copy } : { path, hash };
}

async function prepare(
  sources: SourceSupply,
  path: string,
  mode: TraceMode,
): Promise<PreparedSource> {
  try {
    return await sources.prepare(path, mode);
  } catch (thrown) {
    return { kind: "plain", note: String(thrown), isCommonJs: false };
  }
}

/** The job worker's end. Load hooks of Deno cannot wait in any other way. */
export function createAsker({ port, answers }: SourceLink, mode: TraceMode): AskSource {
  const count = new Int32Array(answers);
  let asked = 0;

  const isAnswered = (): boolean => {
    for (let seen = load(count, 0); seen < asked; seen = load(count, 0)) {
      if (wait(count, 0, seen, ANSWER_LIMIT_MS) === "timed-out") return false;
    }
    return true;
  };

  /** An answer that came too late for its question is still there before the next one's. */
  const receive = (): PreparedSource | undefined => {
    for (;;) {
      const received = threads.receiveMessageOnPort(port);
      if (received === undefined) return;
      const answer = received.message as Answer;
      if (answer.id === asked) return answer.source;
    }
  };

  return (path) => {
    asked += 1;
    port.postMessage({ id: asked, path, mode } satisfies Question);
    const source = isAnswered() ? receive() : undefined;
    return source ?? { kind: "plain", note: "its owner did not answer", isCommonJs: false };
  };
}

/** Taken before a job can patch them. */
const { load, wait } = Atomics;
