// Starts a private Galera cluster on loopback: MariaDB nodes that hold the same data, and an arbitrator that holds none.
import { randomBytes } from "node:crypto";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { eventually } from "./eventually.ts";
import { findBinary } from "./find-binary.ts";
import { findFreePort } from "./free-port.ts";
import { type PrivateMariadb, startPrivateMariadb } from "./private-mariadb.ts";
import { makeServerFolder, type PrivateServer, startPrivateServer } from "./private-server.ts";

const JOINED_WITHIN_MS = 60_000;
const PROVIDER = "/usr/lib/galera/libgalera_smm.so";

export interface PrivateGalera {
  /** The node that founded the cluster; it stays. */
  readonly first: PrivateMariadb;
  /** Starts a node that joins, and returns when it answers. */
  join(): Promise<PrivateMariadb>;
  /** Starts a member that only votes. */
  startArbitrator(): Promise<PrivateServer>;
  stop(): Promise<void>;
}

/** Founds a cluster of one node. */
export async function startPrivateGalera(): Promise<PrivateGalera> {
  const name = `cluster-${randomBytes(4).toString("hex")}`;
  const port = await findFreePort();
  const address = `gcomm://127.0.0.1:${port}`;
  const first = await startPrivateMariadb(await nodeOptions({ name, port, address: "gcomm://" }));
  const others: PrivateServer[] = [];
  const keep = <Server extends PrivateServer>(server: Server): Server => {
    others.push(server);
    return server;
  };
  return {
    first,
    join: async () => {
      const options = await nodeOptions({ name, port: await findFreePort(), address });
      const node = keep(await startPrivateMariadb(options));
      await eventually(
        async () => (await statusOf(node, "wsrep_ready")) === "ON",
        JOINED_WITHIN_MS,
      );
      return node;
    },
    startArbitrator: async () => keep(await startArbitrator(first, { name, address })),
    stop: async () => {
      await Promise.all([...others, first].map((server) => server.stop()));
    },
  };
}

interface NodeSpec {
  readonly name: string;
  readonly port: number;
  readonly address: string;
}

async function nodeOptions({ name, port, address }: NodeSpec): Promise<readonly string[]> {
  const [listen, receive, state] = [
    `gmcast.listen_addr=tcp://127.0.0.1:${port}`,
    `ist.recv_addr=127.0.0.1:${await findFreePort()}`,
    await findFreePort(),
  ];
  return [
    "--wsrep-on=ON",
    `--wsrep-provider=${PROVIDER}`,
    `--wsrep-provider-options=${listen};${receive}`,
    `--wsrep-cluster-name=${name}`,
    `--wsrep-cluster-address=${address}`,
    `--wsrep-node-address=127.0.0.1:${port}`,
    `--wsrep-sst-receive-address=127.0.0.1:${state}`,
    "--wsrep-sst-method=rsync",
    "--binlog-format=ROW",
    "--innodb-autoinc-lock-mode=2",
  ];
}

async function startArbitrator(
  node: PrivateMariadb,
  { name, address }: Pick<NodeSpec, "name" | "address">,
): Promise<PrivateServer> {
  const command = findBinary("garbd");
  if (command === undefined) throw new Error("garbd is not installed (galera-arbitrator-4)");
  const before = Number(await statusOf(node, "wsrep_cluster_size"));
  const options = `gmcast.listen_addr=tcp://127.0.0.1:${await findFreePort()}`;
  return startPrivateServer({
    command,
    args: ["--address", address, "--group", name, "--options", options],
    folder: await makeServerFolder("garbd"),
    probe: async () => {
      const size = Number(await statusOf(node, "wsrep_cluster_size"));
      if (size <= before) throw new Error(`the cluster has ${size} members still`);
    },
  });
}

/** What a node says of itself. */
export async function statusOf({ url }: PrivateMariadb, name: string): Promise<string> {
  const connection = await createConnection({ uri: url });
  try {
    const [rows] = await connection.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE ?", [name]);
    return String(rows[0]?.["Value"]);
  } finally {
    connection.destroy();
  }
}
