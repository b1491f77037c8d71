// Asks a server whether it answers: each probe resolves with the answer or throws with the reason.

import { get } from "node:http";
import { Redis } from "ioredis";
import { createConnection } from "mysql2/promise";

const PROBE_TIMEOUT_MS = 10_000;

/** Runs one query and returns the server's version text. */
export async function probeMysql(url: string): Promise<string> {
  const connection = await createConnection({ uri: url, connectTimeout: PROBE_TIMEOUT_MS });
  try {
    const [rows] = await connection.query("SELECT VERSION() AS version");
    return String((rows as { version: string }[])[0]?.version);
  } finally {
    connection.destroy();
  }
}

/** Sends one PING and returns the answer. */
export async function probeRedis(url: string): Promise<string> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: PROBE_TIMEOUT_MS,
    commandTimeout: PROBE_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // The event tells the cause; the failed call only says that the connection is closed.
  const failed = new Promise<never>((_, reject) => redis.on("error", reject));
  try {
    return await Promise.race([failed, redis.connect().then(() => redis.ping())]);
  } finally {
    redis.disconnect();
  }
}

/** Asks nsqd or nsqlookupd for /ping at `host:port` of its HTTP side. */
export function probeNsq(httpAddress: string, timeoutMs = PROBE_TIMEOUT_MS): Promise<string> {
  return readText(`http://${httpAddress}/ping`, timeoutMs);
}

/** The HTTP address of the nsqd that serves `tcpAddress`, as nsqlookupd knows it. */
export async function findNsqdHttpAddress(tcpAddress: string, lookupd: string): Promise<string> {
  const nodes = JSON.parse(await readText(`http://${lookupd}/nodes`)) as {
    producers: { tcp_port: number; http_port: number }[];
  };
  const [host, tcpPort] = splitAddress(tcpAddress);
  const node = nodes.producers.find((producer) => producer.tcp_port === tcpPort);
  if (node === undefined) throw new Error(`nsqlookupd ${lookupd} knows no nsqd at ${tcpAddress}`);
  return `${host}:${node.http_port}`;
}

function splitAddress(address: string): [host: string, port: number] {
  const colon = address.lastIndexOf(":");
  return [address.slice(0, colon), Number(address.slice(colon + 1))];
}

// node:http and not fetch: fetch would send the request to HTTP_PROXY when that is set.
function readText(url: string, timeoutMs = PROBE_TIMEOUT_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        if (response.statusCode === 200) return resolve(Buffer.concat(chunks).toString());
        reject(new Error(`${url} answered ${response.statusCode}`));
      });
    });
    request.on("timeout", () => request.destroy(new Error(`${url} did not answer in time`)));
    request.on("error", reject);
  });
}
