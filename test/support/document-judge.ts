// Holds live answers against the OpenAPI document, and knows which of the documented answers nobody has shown it.
import { createFieldNotes } from "./document-fields.ts";
import { validatorOf } from "./document-schemas.ts";

interface Documented {
  readonly $ref?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
}
interface DocumentedOperation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly required: boolean;
  }[];
  readonly requestBody?: Documented;
  readonly responses: Readonly<Record<string, Documented>>;
  readonly callbacks?: Readonly<Record<string, Paths>>;
}
type Paths = Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;

/** As `/swagger/json` serves it. */
export interface ServedDocument {
  readonly paths: Paths;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: Readonly<Record<string, Documented>>;
  };
}

/** An answer, read to its end. */
export interface LiveAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface DocumentJudge {
  /** Throws when the document does not know such an answer of the operation. */
  hold(operationId: string, answer: LiveAnswer): void;
  /** Throws when the value has not the named schema. */
  holdSchema(name: string, value: unknown): void;
  /** Throws when the request is not the one that the document describes as a callback. */
  holdCallback(request: { readonly headers: object; readonly body: string }): void;
  /** What is documented and was not held so far, such as `createTask 422` or `Attempt.error`. */
  unseen(): string[];
}

export function createDocumentJudge({ paths, components }: ServedDocument): DocumentJudge {
  const operations = operationsOf(paths);
  const seen = new Set<string>();
  const fields = createFieldNotes(components.schemas);

  function check(what: string, schema: object, value: unknown): void {
    const validate = validatorOf(schema, components, { isClosed: true });
    if (validate(value)) return;
    const errors = (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
    throw new Error(`${what}: ${errors.join("; ")} in ${JSON.stringify(value)}`);
  }

  function resolve(documented: Documented): Documented {
    const name = documented.$ref?.split("/").at(-1);
    if (name === undefined) return documented;
    seen.add(`response ${name}`);
    return found(components.responses[name], `response ${name}`);
  }

  function hold(operationId: string, { status, headers, text }: LiveAnswer): void {
    const what = `${operationId} ${status}`;
    const { responses } = found(
      operations.find((each) => each.operationId === operationId),
      operationId,
    );
    const { content, headers: promised = {} } = resolve(
      found(responses[status] ?? responses["default"], what),
    );
    const type = headers.get("content-type")?.split(";")[0] ?? "";
    const { schema } = found(content[type], `${what} as ${type}`);
    if (type.endsWith("json")) {
      check(what, schema, JSON.parse(text));
      fields.note(schema, JSON.parse(text));
    }
    const missing = Object.keys(promised).filter((name) => !headers.has(name));
    if (missing.length > 0) throw new Error(`${what} has no ${missing.join(", ")}`);
    seen.add(what);
  }

  function holdCallback({ headers, body }: { headers: object; body: string }): void {
    const [called] = operations.flatMap(({ callbacks = {} }) =>
      Object.values(callbacks).flatMap(operationsOf),
    );
    const { parameters = [], requestBody } = found(called, "a callback");
    const missing = parameters.filter(({ name, required }) => required && !(name in headers));
    if (missing.length > 0) throw new Error(`it has not ${missing.map(({ name }) => name)}`);
    const { schema } = found(requestBody?.content["application/json"], "a body");
    check("the body", schema, JSON.parse(body));
    seen.add("a callback");
  }

  function unseen(): string[] {
    const answers = operations.flatMap(({ operationId, responses }) =>
      Object.keys(responses).flatMap((status) =>
        status === "default" ? [] : [`${operationId} ${status}`],
      ),
    );
    const responses = Object.keys(components.responses).map((name) => `response ${name}`);
    const other = [...answers, ...responses, "a callback"].filter((each) => !seen.has(each));
    return [...other, ...fields.unseen()];
  }

  return {
    hold,
    holdSchema: (name, value) => check(name, found(components.schemas[name], name), value),
    holdCallback,
    unseen,
  };
}

function operationsOf(paths: Paths): DocumentedOperation[] {
  return Object.values(paths).flatMap((methods) => Object.values(methods));
}

function found<T>(it: T | undefined, what: string): T {
  if (it === undefined) throw new Error(`the document has no ${what}`);
  return it;
}
