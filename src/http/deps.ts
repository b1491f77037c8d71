// What the HTTP layer is given by the root of the process.
import type { Bus } from "../bus/bus.ts";
import type { Config } from "../config/config.ts";
import type { Logger } from "../core/logger.ts";
import type { SecretBox } from "../core/secret-box.ts";
import type { Queue } from "../queue/queue.ts";
import type { Store } from "../store/store.ts";
import type { TaskSubmitter } from "../use-cases/submit-task.ts";
import type { Bodies } from "./raw-body.ts";
import type { Readiness } from "./readiness.ts";

export interface HttpDeps {
  readonly config: Pick<
    Config,
    | "host"
    | "port"
    | "adminToken"
    | "timezone"
    | "signatureTtlS"
    | "legacyPayloadUntil"
    | "maxBodyBytes"
    | "maxBodiesMb"
    | "callbackPorts"
    | "callbackAllow"
    | "shape"
    | "leaseMs"
  >;
  readonly store: Pick<Store, "applications" | "tasks" | "attempts" | "executors" | "catalogue">;
  readonly queue: Pick<Queue, "ring">;
  readonly bus: Pick<Bus, "ask" | "follow">;
  readonly logger: Logger;
  readonly secretBox: SecretBox;
  readonly submitter: Pick<TaskSubmitter, "submit">;
  /** Epoch ms of this process. */
  readonly nowMs: () => number;
  /** Of the program. */
  readonly version: string;
  /** Asked at every `/readyz`. */
  readonly readiness: () => Promise<Readiness>;
  readonly bodies: Bodies;
}

/** Of these the app makes the rest itself. */
export type ApiDeps = Omit<HttpDeps, "bodies">;
