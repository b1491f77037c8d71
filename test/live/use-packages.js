// Uses two packages from the folder it is given, and prints what they answer; nothing of the live memory may be left.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openLiveMemory } from "../../src/job/wire/live-memory.ts";
import { installLiveRuntime } from "../../src/live/inside/runtime.ts";

const { words } = openLiveMemory();
installLiveRuntime(words);

const [folder = ""] = process.argv.slice(2);
const load = async (path) => await import(pathToFileURL(join(folder, path)).href);

const { Kysely, DummyDriver, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } =
  await load("kysely/dist/index.js");
const database = new Kysely({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});
const query = database
  .with("recent", (q) => q.selectFrom("tasks").selectAll().where("id", ">", 5))
  .selectFrom("recent as r")
  .innerJoin("attempts as a", (join) => join.onRef("a.task", "=", "r.id").on("a.fence", "=", 1))
  .select(["r.id", (eb) => eb.fn.count("a.id").as("n"), sql`upper(r.name)`.as("name")])
  .where((eb) =>
    eb.or([eb("r.id", "in", [1, 2]), eb.not(eb.exists(eb.selectFrom("x").selectAll()))]),
  )
  .groupBy("r.id")
  .having("n", ">", 1)
  .orderBy("r.id", "desc")
  .limit(10);
console.log(JSON.stringify(query.compile()));
console.log(JSON.stringify(await query.execute()));
await database.transaction().execute(async (transaction) => {
  console.log(
    String(
      await transaction
        .insertInto("t")
        .values([{ a: 1 }, { a: 2 }])
        .executeTakeFirst(),
    ),
  );
});
await database
  .selectFrom("t")
  .selectAll()
  .executeTakeFirstOrThrow()
  .catch((error) => {
    console.log(error.message);
  });
for await (const row of database.selectFrom("t").selectAll().stream()) console.log(row);

const { Type } = await load("@sinclair/typebox/build/esm/index.mjs");
const { Value } = await load("@sinclair/typebox/build/esm/value/index.mjs");
const { TypeCompiler } = await load("@sinclair/typebox/build/esm/compiler/index.mjs");
const schema = Type.Recursive((self) =>
  Type.Object({
    name: Type.String({ pattern: "^a" }),
    kind: Type.Union([Type.Literal("x"), Type.Integer({ minimum: 3 })]),
    children: Type.Array(self, { maxItems: 2 }),
    more: Type.Optional(Type.Record(Type.String(), Type.Tuple([Type.Number(), Type.Null()]))),
  }),
);
const values = [
  { name: "ab", kind: "x", children: [{ name: "ac", kind: 4, children: [] }] },
  { name: "b", kind: 2, children: [{}, {}, {}], more: { q: [1, 2] } },
  null,
];
const checker = TypeCompiler.Compile(schema);
for (const value of values) {
  console.log(JSON.stringify([Value.Check(schema, value), checker.Check(value)]));
  console.log(JSON.stringify([...Value.Errors(schema, value)].map((it) => [it.path, it.message])));
}
console.log(checker.Code().length);
console.log(JSON.stringify(Value.Diff(values[0], values[1])));
console.log(
  JSON.stringify(Value.Create(Type.Omit(Type.Object({ a: Type.String(), b: Type.Date() }), ["b"]))),
);
await database.destroy();
console.log("all done", words[0], words[1]);
