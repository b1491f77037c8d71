// Creating applications and giving them new ready-made headers, on a real store.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createApplication, refreshSignature } from "../../src/use-cases/applications.ts";
import { authenticate, unauthorised } from "../../src/use-cases/authenticate.ts";
import { rejectionOf } from "../support/rejection.ts";
import { createWorld, type World } from "../support/use-case-world.ts";

const NOW_MS = 1_627_371_056_000;
const input = {
  appName: "帅的批爆1",
  linkUrl: "http://127.0.0.1",
  step: 10,
  retryTotal: 0,
  requireBodySignature: false,
};

let world: World;

beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

function deps(nowMs = NOW_MS) {
  const { store, secretBox } = world;
  return { store, secretBox, nowMs: () => nowMs, timezone: "Asia/Shanghai", signatureTtlS: 60 };
}

async function isAccepted(headers: Record<string, string>, nowMs = NOW_MS): Promise<boolean> {
  const request = { method: "POST", target: "/task/create", body: new Uint8Array(), headers };
  return authenticate(deps(nowMs), request).then(
    () => true,
    () => false,
  );
}

describe("a new application", () => {
  test("gets the header set of the original API and a secret of its own", async () => {
    const { headers, secretKey } = await createApplication(deps(), input);
    expect(Object.keys(headers).toSorted()).toEqual(
      ["appKey", "nonce", "payload", "signature", "timestamps"].toSorted(),
    );
    expect(headers).toMatchObject({
      payload: "57bcd60eefcac9701fd2407080a5a7b0",
      timestamps: "1627371056",
    });
    expect(headers.appKey).toMatch(/^[A-Za-z0-9]{16}$/);
    expect(secretKey.length).toBeGreaterThanOrEqual(32);
    expect(await isAccepted({ ...headers })).toBe(true);
  });

  test("is kept as it was given, its secret unreadable", async () => {
    const { headers, secretKey } = await createApplication(deps(), { ...input, remark: "呵呵" });
    const application = await world.store.applications.find(headers.appKey);
    expect(application).toMatchObject({
      name: "帅的批爆1",
      linkUrl: "http://127.0.0.1",
      retry: { stepS: 10, total: 0 },
      remark: "呵呵",
      requireBodySignature: false,
    });
    expect(JSON.stringify(application)).not.toContain(secretKey);
    expect(world.secretBox.open(application?.secretSealed ?? "")).toBe(secretKey);
  });

  test("without a remark is remarked with the time in the zone", async () => {
    const { headers } = await createApplication(deps(), input);
    const application = await world.store.applications.find(headers.appKey);
    expect(application?.remark).toBe("2021-07-27 15:30:56");
  });
});

describe("refreshing a signature", () => {
  test("gives headers that are good from now on", async () => {
    const { headers, secretKey } = await createApplication(deps(), input);
    const laterMs = NOW_MS + 3_600_000;
    const fresh = await refreshSignature(deps(laterMs), { appKey: headers.appKey, secretKey });
    expect(fresh).toMatchObject({ appKey: headers.appKey, payload: headers.payload });
    expect(fresh.nonce).not.toBe(headers.nonce);
    expect(await isAccepted({ ...headers }, laterMs)).toBe(false);
    expect(await isAccepted({ ...fresh }, laterMs)).toBe(true);
  });

  test("is refused in the same way for a wrong secret and for a wrong key", async () => {
    const { headers, secretKey } = await createApplication(deps(), input);
    const { appKey } = headers;
    const given = [
      { appKey, secretKey: `${secretKey}x` },
      { appKey, secretKey: secretKey.toLowerCase() },
      { appKey, secretKey: "" },
      { appKey: "unknown000000000", secretKey },
    ];
    for (const wrong of given) {
      const { code, message } = unauthorised();
      const refused = refreshSignature(deps(), wrong);
      expect(await rejectionOf(refused)).toMatchObject({ code, message });
    }
  });
});
