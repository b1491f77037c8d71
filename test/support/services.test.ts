// Proves that the servers of the tests are real: each answers, and a private one survives what chaos tests do to it.

import { expect } from "bun:test";
import { createConnection } from "mysql2/promise";
import { describeWith } from "./describe-with.ts";
import { afterAll, beforeAll, test } from "./long.ts";
import type { PrivateNsqd } from "./private-nsqd.ts";
import { probeMysql, probeNsq, probeRedis } from "./probes.ts";
import { acquireServices, describeError } from "./services.ts";

const ANSWERED = "it answered";
const services = await acquireServices();

describeWith(services, {
  title: "the shared database server",
  needs: ["mysql"],
  suite: ({ mysql }) => {
    test("answers a query with its version", async () => {
      expect(await probeMysql(mysql.url)).toMatch(/^\d+\.\d+\.\d+/);
    });

    test("gives each test an empty database of its own, and takes it away again", async () => {
      const database = await mysql.freshDatabase();
      const connection = await createConnection({ uri: database.url });
      await connection.query("CREATE TABLE mine (id BIGINT PRIMARY KEY)");
      await connection.end();
      const other = await mysql.freshDatabase();
      expect(await countTables(other.url)).toBe(0);
      expect(await countTables(database.url)).toBe(1);
      await Promise.all([database.drop(), other.drop()]);
      expect(await failureOf(probeMysql(database.url))).toContain("Unknown database");
    });
  },
});

describeWith(services, {
  title: "the shared Redis",
  needs: ["redis"],
  suite: ({ redis }) => {
    test("answers PING", async () => {
      expect(await probeRedis(redis.url)).toBe("PONG");
    });
  },
});

describeWith(services, {
  title: "the shared nsqd",
  needs: ["nsqd"],
  suite: ({ nsqd }) => {
    test("answers /ping, and so does its nsqlookupd", async () => {
      expect(await probeNsq(nsqd.httpAddress)).toBe("OK");
      expect(await probeNsq(nsqd.lookupdHttpAddress)).toBe("OK");
    });
  },
});

describeWith(services, {
  title: "a private nsqd",
  needs: ["startNsqd"],
  suite: ({ startNsqd }) => {
    let nsqd: PrivateNsqd;
    beforeAll(async () => {
      nsqd = await startNsqd();
    });
    afterAll(() => nsqd.stop());

    test("is gone after kill9 and answers again on the same port after restart", async () => {
      const firstPid = nsqd.pid;
      await nsqd.kill9();
      expect(() => process.kill(firstPid, 0)).toThrow();
      expect(await failureOf(probeNsq(nsqd.httpAddress))).not.toBe(ANSWERED);
      await nsqd.restart();
      expect(nsqd.pid).not.toBe(firstPid);
      expect(await probeNsq(nsqd.httpAddress)).toBe("OK");
    });

    test("keeps connections open but says nothing while it is frozen", async () => {
      nsqd.freeze();
      expect(await failureOf(probeNsq(nsqd.httpAddress, 200))).toContain("did not answer in time");
      nsqd.thaw();
      expect(await probeNsq(nsqd.httpAddress)).toBe("OK");
    });
  },
});

describeWith(services, {
  title: "a private Redis",
  needs: ["startRedis"],
  suite: ({ startRedis }) => {
    test("answers again after kill9 and restart, and is unreachable after stop", async () => {
      const redis = await startRedis();
      await redis.kill9();
      await redis.restart();
      expect(await probeRedis(redis.url)).toBe("PONG");
      await redis.stop();
      expect(await failureOf(probeRedis(redis.url))).not.toBe(ANSWERED);
    });
  },
});

/** Why a probe failed. Written out because bun's types say that `expect().rejects` is not a promise. */
function failureOf(probe: Promise<string>): Promise<string> {
  return probe.then(() => ANSWERED, describeError);
}

async function countTables(url: string): Promise<number> {
  const connection = await createConnection({ uri: url });
  const [rows] = await connection.query("SHOW TABLES");
  await connection.end();
  return (rows as unknown[]).length;
}
