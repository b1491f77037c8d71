// Looks into an nsqd over its HTTP side, past the code under test.
import { request } from "node:http";

/** What nsqd says of the channel "executors" of a topic. */
export interface ChannelStats {
  readonly depth: number;
  readonly in_flight_count: number;
  readonly requeue_count: number;
}

export async function channelStats(httpAddress: string, topic: string): Promise<ChannelStats> {
  const path = `/stats?format=json&topic=${topic}&channel=executors`;
  const text = await askHttp(`http://${httpAddress}${path}`, { method: "GET" });
  const stats = JSON.parse(text) as { topics: { channels: ChannelStats[] }[] };
  const channel = stats.topics[0]?.channels[0];
  if (channel === undefined) throw new Error(`nsqd has no channel in ${topic}`);
  return channel;
}

/** Publishes a body as it is. */
export async function publish(httpAddress: string, topic: string, body: string): Promise<void> {
  await askHttp(`http://${httpAddress}/pub?topic=${topic}`, { method: "POST", body });
}

/** Drops every message that waits in a channel. */
export async function emptyTopics(httpAddress: string): Promise<void> {
  const text = await askHttp(`http://${httpAddress}/stats?format=json`, { method: "GET" });
  const { topics } = JSON.parse(text) as {
    readonly topics: readonly {
      readonly topic_name: string;
      readonly channels: readonly { readonly channel_name: string }[];
    }[];
  };
  for (const { topic_name, channels } of topics) {
    for (const { channel_name } of channels) {
      const path = `/channel/empty?topic=${topic_name}&channel=${channel_name}`;
      await askHttp(`http://${httpAddress}${path}`, { method: "POST" });
    }
  }
}

// node:http and not fetch: fetch would send the request to HTTP_PROXY when that is set.
function askHttp(url: string, { method, body }: { method: string; body?: string }) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asking = request(url, { method, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => resolve(Buffer.concat(chunks).toString()));
  });
  asking.on("error", reject);
  asking.end(body);
  return promise;
}
