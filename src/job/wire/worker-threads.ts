// node:worker_threads for all that also runs in a job worker, where an `import` of it would come too early.
import type workerThreads from "node:worker_threads";

/**
 * The named exports of a builtin module are copied when it is first imported. On Bun a job worker's `parentPort` can
 * only be hidden before that, so our code must not be the first to import it.
 */
export const threads: typeof workerThreads = process.getBuiltinModule("node:worker_threads");
