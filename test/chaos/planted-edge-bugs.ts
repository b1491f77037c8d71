// Bugs at the edges that the fault harness must catch: what callers ask, and what receivers of callbacks get.
import type { Plant } from "./planted-bugs.ts";

const EFFECTS = "effects agree with what is recorded";

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are texts of sources */
export const EDGE_BUGS: Readonly<Record<string, Plant>> = {
  "follow redirects": {
    patches: [
      {
        file: "src/callback/verdict.ts",
        find: "const error = wrongStatus(head.status, host) ?? wrongEncoding(head, host);",
        replace: `if (head.status === 302) fetch(\`http://\${host}\${head.headers["location"]}\`).catch(() => undefined);
  const error = wrongStatus(head.status, host) ?? wrongEncoding(head, host);`,
      },
    ],
    breaks: "G12 redirects are not followed",
  },
  "success whatever the status": {
    patches: [
      {
        file: "src/callback/verdict.ts",
        find: "if (status >= 200 && status < 300) return null;",
        replace: "if (status >= 200) return null;",
      },
    ],
    breaks: EFFECTS,
  },
  "deliver twice": {
    patches: [
      {
        file: "src/callback/deliver.ts",
        find: "connection.send(requestText(post));",
        replace: "connection.send(requestText(post) + requestText(post));",
      },
    ],
    breaks: "G5 deliveries of a task do not overlap",
  },
  "forget a used nonce": {
    patches: [
      {
        file: "src/store/nonces.ts",
        find: '=== "duplicate") return false;',
        replace: '=== "duplicate") return true;',
      },
    ],
    breaks: "G11 a captured request has no second effect, a forged one none",
  },
  "take any signature": {
    patches: [
      {
        file: "src/core/signature.ts",
        find: "return equalTexts(sign(secret, parts), parts.signature);",
        replace: "return parts.signature.length === sign(secret, parts).length;",
      },
    ],
    breaks: "G11 a captured request has no second effect, a forged one none",
  },
  "show the tasks of others": {
    patches: [
      {
        file: "src/store/find-task.ts",
        find: "where application_id = ${reference.applicationId} and ${isReferred(reference)}",
        replace: "where ${isReferred(reference)}",
      },
    ],
    breaks: "G15 another application sees nothing and changes nothing",
  },
  "two rows of one number": {
    patches: [
      {
        file: "src/store/migrations/0001-first-tables.ts",
        find: `columns: ["application_id", "task_no"],
      isUnique: true,`,
        replace: `columns: ["application_id", "task_no"],
      isUnique: false,`,
      },
    ],
    breaks: "G10 one row for each number",
  },
  "a cancel that is forgotten": {
    patches: [
      {
        file: "src/store/changes.ts",
        find: 'where id = ${id} and ${mayMoveTo("cancelled", "pending")}`',
        replace: 'where id = -1 and ${mayMoveTo("cancelled", "pending")}`',
      },
    ],
    breaks: "G9 what is cancelled does not start any more",
  },
  "a redelivery in the old life": {
    patches: [
      {
        file: "src/store/changes.ts",
        find: "life = life + 1, attempt = 0",
        replace: "life = life, attempt = 0",
      },
    ],
    breaks: "G3 only a redelivery begins a new life, and it does",
  },
  "times cut to seconds": {
    patches: [
      {
        file: "src/use-cases/submit-task.ts",
        find: "const runAt = readRuntime(runtime, { nowMs, timezone: checks.timezone });",
        replace: `const read = readRuntime(runtime, { nowMs, timezone: checks.timezone });
  const runAt = read === null ? null : Math.floor(read / 1_000) * 1_000;`,
      },
    ],
    breaks: "G7 nothing starts early",
  },
  "a success without its delivery": {
    patches: [
      {
        file: "src/callback/deliver.ts",
        find: "connection.send(requestText(post));",
        replace: "conclude({ error: null });",
      },
    ],
    breaks: EFFECTS,
  },
  "an answer before its commit": {
    patches: [
      {
        file: "src/use-cases/create-batches.ts",
        find: "const results = await options.create(batch.map(({ submission }) => submission.task));",
        replace: `const results = batch.map((_, at) => ({ kind: "created" as const, id: 1_000_000_000 + at }));
    options.create(batch.map(({ submission }) => submission.task)).catch(() => undefined);`,
      },
    ],
    breaks: "G1 accepted is stored",
  },
};
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are texts of sources */
