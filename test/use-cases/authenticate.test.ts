// Authentication: both forms of signatures on a real store, and that every refusal looks the same.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, createHmac } from "node:crypto";
import {
  authenticate,
  type SignedRequest,
  unauthorised,
} from "../../src/use-cases/authenticate.ts";
import { cacheApplications } from "../../src/use-cases/cached-applications.ts";
import { rejectionOf } from "../support/rejection.ts";
import { addApplication, createWorld, type World } from "../support/use-case-world.ts";

const NOW_MS = 1_627_371_056_000;
const NOW_S = NOW_MS / 1000;
const TTL_S = 86_400;
const REFUSED = { code: "unauthorised", message: unauthorised().message };
const SECRET = "a secret of the application";
const body = new TextEncoder().encode('{"id":1}');

let world: World;

beforeAll(async () => {
  world = await createWorld();
  await addApplication(world, { appKey: "E3F5l1uKFcXUe1gd", secret: SECRET });
  const strict = { appKey: "strict0000000000", secret: SECRET, requireBodySignature: true };
  await addApplication(world, strict);
  await addApplication(world, { appKey: "other00000000000", secret: "another secret" });
});
afterAll(() => world.close());

function deps(nowMs = NOW_MS) {
  const { store, secretBox } = world;
  return {
    store,
    secretBox,
    nowMs: () => nowMs,
    timezone: "Asia/Shanghai",
    signatureTtlS: TTL_S,
  };
}

/** Signs as a client would, by the published formula and with nothing of the program. */
function signed(parts: Partial<Record<string, string>> & { secret?: string } = {}): SignedRequest {
  const { secret = SECRET, method = "POST", target = "/task/cancel" } = parts;
  const bound = createHash("sha256").update("POST /task/cancel\n").update(body).digest("hex");
  const { appKey = "E3F5l1uKFcXUe1gd", nonce = "nm33An1FX22SAjZK" } = parts;
  const { timestamps = String(NOW_S), payload = bound } = parts;
  const hex = createHmac("sha256", secret)
    .update(timestamps + nonce + payload)
    .digest("hex");
  const { signature = Buffer.from(hex).toString("base64") } = parts;
  return { method, target, body, headers: { appKey, nonce, timestamps, payload, signature } };
}

const readyMade = createHash("md5").update("帅的批爆1").digest("hex");

async function refusalOf(request: SignedRequest, nowMs = NOW_MS): Promise<unknown> {
  return authenticate(deps(nowMs), request).then(
    () => "accepted",
    (thrown: unknown) => thrown,
  );
}

describe("a body-bound request", () => {
  test("expires whatever ALLOW_LEGACY_PAYLOAD says", async () => {
    const late = { ...deps(NOW_MS + 301_000), legacyPayloadUntil: NOW_MS + 1e9 };
    expect(await rejectionOf(authenticate(late, signed()))).toMatchObject(REFUSED);
  });

  test("is its application's, with the nonce it may use up", async () => {
    const { application, nonce } = await authenticate(deps(), signed());
    expect(application.appKey).toBe("E3F5l1uKFcXUe1gd");
    expect(nonce).toBe("nm33An1FX22SAjZK");
  });

  test("may tell its time as local time", async () => {
    const request = signed({ timestamps: "2021-07-27 15:30:56" });
    expect(await refusalOf(request)).toBe("accepted");
    expect(await refusalOf(signed({ timestamps: "2021-07-27 07:30:56" }))).toMatchObject(REFUSED);
  });

  test.each([-300, 300])("is good %d seconds away", async (seconds) => {
    expect(await refusalOf(signed(), NOW_MS + seconds * 1000)).toBe("accepted");
    const second = Math.sign(seconds) * 1000;
    expect(await refusalOf(signed(), NOW_MS + seconds * 1000 + second)).toMatchObject(REFUSED);
  });

  test("is enough where body signatures are required", async () => {
    expect(await refusalOf(signed({ appKey: "strict0000000000" }))).toBe("accepted");
  });
});

describe("in the grace of a rotation", () => {
  const appKey = "rotated000000000";
  beforeAll(async () => {
    await addApplication(world, { appKey, secret: SECRET });
    await rotate(3_600_000);
  });

  function rotate(graceMs: number) {
    const { store, secretBox } = world;
    const secretSealed = secretBox.seal("the new secret");
    const rotation = { appKey, secretSealed, callbackSecretSealed: secretSealed, graceMs };
    return store.applications.rotate(rotation);
  }

  test("either secret is right, and it is known which one it was", async () => {
    const withNew = await authenticate(deps(), signed({ appKey, secret: "the new secret" }));
    expect(withNew.signedWith).toBe("current");
    expect((await authenticate(deps(), signed({ appKey }))).signedWith).toBe("previous");
    const readyMadeOld = signed({ appKey, payload: readyMade });
    expect((await authenticate(deps(), readyMadeOld)).signedWith).toBe("previous");
  });

  test("any other secret is refused as ever", async () => {
    expect(await refusalOf(signed({ appKey, secret: "a third one" }))).toMatchObject(REFUSED);
  });

  test("a rotation without a grace ends it", async () => {
    await rotate(0);
    expect(await refusalOf(signed({ appKey }))).toMatchObject(REFUSED);
    expect(await refusalOf(signed({ appKey, secret: "the new secret" }))).toBe("accepted");
  });
});

describe("a ready-made header set", () => {
  test("signs any request and has no nonce to use up", async () => {
    const request = { ...signed({ payload: readyMade }), method: "GET", target: "/other" };
    const { application, nonce } = await authenticate(deps(), request);
    expect(application.appKey).toBe("E3F5l1uKFcXUe1gd");
    expect(nonce).toBeUndefined();
  });

  test("is good until its time to live has passed", async () => {
    const request = signed({ payload: readyMade });
    expect(await refusalOf(request, NOW_MS + TTL_S * 1000)).toBe("accepted");
    expect(await refusalOf(request, NOW_MS + TTL_S * 1000 + 1)).toMatchObject(REFUSED);
    expect(await refusalOf(request, NOW_MS - 300_000)).toBe("accepted");
    expect(await refusalOf(request, NOW_MS - 300_001)).toMatchObject(REFUSED);
  });

  test("is good however old it is up to the day of ALLOW_LEGACY_PAYLOAD, and no longer", async () => {
    const request = signed({ payload: readyMade });
    const dayMs = 86_400_000;
    const legacyPayloadUntil = NOW_MS + 400 * dayMs;
    const refusalAt = (nowMs: number) =>
      authenticate({ ...deps(nowMs), legacyPayloadUntil }, request).then(() => "accepted", String);
    expect(await refusalAt(legacyPayloadUntil - 1)).toBe("accepted");
    expect(await refusalAt(legacyPayloadUntil)).toContain(unauthorised().message);
    expect(await refusalAt(NOW_MS - 300_001)).toContain(unauthorised().message);
  });

  test("is refused where body signatures are required", async () => {
    const request = signed({ appKey: "strict0000000000", payload: readyMade });
    expect(await refusalOf(request)).toMatchObject(REFUSED);
  });

  test("of another name is refused, however well it is signed", async () => {
    const payload = createHash("md5").update("帅的批爆").digest("hex");
    expect(await refusalOf(signed({ payload }))).toMatchObject(REFUSED);
  });
});

describe("every refusal is the same", () => {
  const sha256OfName = createHash("sha256").update("帅的批爆1").digest("hex");

  // biome-ignore format: a table is read by its columns
  const refused: readonly [string, () => SignedRequest][] = [
    ["an unknown key",                    () => signed({ appKey: "unknown000000000" })],
    ["a key of another secret",           () => signed({ appKey: "other00000000000" })],
    ["a wrong secret",                    () => signed({ secret: "guessed" })],
    ["a wrong signature",                 () => signed({ signature: "AAAA" })],
    ["another method",                    () => signed({ method: "GET" })],
    ["another target",                    () => signed({ target: "/task/cancel?id=2" })],
    ["another body",                      () => ({ ...signed(), body: new TextEncoder().encode('{"id":2}') })],
    ["the SHA-256 of the name",           () => signed({ payload: sha256OfName })],
    ["a payload in capitals",             () => signed({ payload: readyMade.toUpperCase() })],
    ["a payload of no form",              () => signed({ payload: "abc" })],
    ["a nonce of 7 characters",           () => signed({ nonce: "1234567" })],
    ["a nonce of 65 characters",          () => signed({ nonce: "x".repeat(65) })],
    ["a nonce with white space",          () => signed({ nonce: "1234 5678" })],
    ["a nonce beyond ASCII",              () => signed({ nonce: "12345678é" })],
    ["a key with white space",            () => signed({ appKey: "E3F5l1uKFcXUe1gd " })],
    ["timestamps in milliseconds",        () => signed({ timestamps: String(NOW_MS) })],
    ["timestamps that are no time",       () => signed({ timestamps: "now" })],
  ];

  test.each(refused)("%s", async (_what, request) => {
    expect(await refusalOf(request())).toMatchObject(REFUSED);
  });

  test("a captured request cannot get another nonce by moving digits between its parts", async () => {
    const original = signed({ nonce: "123456789abcdefg" });
    const { timestamps = "", nonce = "" } = original.headers;
    for (const count of [-3, -2, -1, 1, 2, 3]) {
      const text = timestamps + nonce;
      const split = timestamps.length + count;
      const moved = { timestamps: text.slice(0, split), nonce: text.slice(split) };
      const request = { ...original, headers: { ...original.headers, ...moved } };
      expect(await refusalOf(request)).toMatchObject(REFUSED);
    }
    expect(await refusalOf(original)).toBe("accepted");
  });
});

describe("when the store cannot answer", () => {
  test("nobody is told to be unauthorised", async () => {
    const gone = await createWorld();
    const { store, secretBox } = gone;
    await gone.close();
    const refused = authenticate({ ...deps(), store, secretBox }, signed());
    expect(await rejectionOf(refused)).toMatchObject({ code: "unavailable" });
  });
});

describe("remembered applications", () => {
  /** The real store, counted, and as slow as the test wants. */
  function createCounted(delay: () => Promise<void> = async () => undefined) {
    const clock = { nowMs: 0 };
    const asked: string[] = [];
    const applications = cacheApplications(
      {
        ...world.store.applications,
        find: async (key) => {
          asked.push(key);
          await delay();
          return world.store.applications.find(key);
        },
      },
      () => clock.nowMs,
    );
    return { applications, asked, clock };
  }

  test("cost no query, and a new one is known a second after it was asked for in vain", async () => {
    const appKey = "later00000000000";
    const { applications, asked, clock } = createCounted();
    const cached = { ...deps(), store: { applications } };
    const request = signed({ appKey });
    expect(await rejectionOf(authenticate(cached, request))).toMatchObject(REFUSED);
    await addApplication(world, { appKey, secret: SECRET });
    expect(await rejectionOf(authenticate(cached, request))).toMatchObject(REFUSED);
    expect(asked).toEqual([appKey]);
    clock.nowMs = 1000;
    const { application } = await authenticate(cached, request);
    expect(await applications.find(appKey)).toBe(application);
    expect(asked).toEqual([appKey, appKey]);
  });

  test("one that is created here is known at once", async () => {
    const appKey = "here000000000000";
    const { applications } = createCounted();
    expect(await applications.find(appKey)).toBeUndefined();
    await addApplication({ ...world, store: { ...world.store, applications } }, { appKey });
    expect(await applications.find(appKey)).toMatchObject({ appKey });
  });

  test("keys without end are asked for four at a time, and stand in nobody's way", async () => {
    const known = "E3F5l1uKFcXUe1gd";
    const { promise: slow, resolve: answer } = Promise.withResolvers<void>();
    let delay = Promise.resolve();
    const { applications, asked, clock } = createCounted(() => delay);
    await applications.find(known);
    clock.nowMs = 1000;
    asked.length = 0;
    delay = slow;
    const found = Array.from({ length: 300 }, (_, at) =>
      applications.find(`made-up-${at}`).catch((thrown: unknown) => thrown),
    );
    const ours = applications.find(known);
    // No more than 200 wait; the rest is told at once.
    expect(await Promise.all(found.slice(204))).toEqual(
      Array.from({ length: 96 }, () => expect.objectContaining({ code: "unavailable" })),
    );
    expect(asked.sort()).toEqual([known, "made-up-0", "made-up-1", "made-up-2", "made-up-3"]);
    answer();
    expect(await ours).toMatchObject({ appKey: known });
    expect(await Promise.all(found.slice(0, 204))).toEqual(Array(204).fill(undefined));
  });
});
