// A program that ends when an nsqd has pushed messages of a topic to its listeners: for a test whose thread stands still.
import process from "node:process";
import { eventually } from "./eventually.ts";
import { channelStats } from "./nsqd-http.ts";

const [httpAddress = "", topic = ""] = process.argv.slice(2);

await eventually(async () => {
  const { in_flight_count } = await channelStats(httpAddress, topic);
  return in_flight_count > 0 ? true : undefined;
});
process.exit(0);
