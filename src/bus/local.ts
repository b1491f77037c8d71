// The bus without a server: questions and answers travel over the links between two processes.
import { messageOf } from "../core/errors.ts";
import type { Link } from "../core/link.ts";
import type { LiveAnswer, LiveQuestion } from "../core/live.ts";
import type { Logger } from "../core/logger.ts";
import type { AnswerLive, Bus } from "./bus.ts";
import { answerSafely, type Fields, fieldsOf, readAnswer, readQuestion } from "./live-messages.ts";
import { createLocalFeeds } from "./local-feeds.ts";
import { createPendingAsks } from "./pending-asks.ts";

/** How they look on a link, which carries other messages too; `id` is the asker's own. */
type BusEnvelope =
  | {
      readonly to: "bus";
      readonly kind: "ask";
      readonly id: number;
      readonly serviceId: string;
      readonly question: LiveQuestion;
    }
  | {
      readonly to: "bus";
      readonly kind: "answer";
      readonly id: number;
      readonly answer: LiveAnswer;
    };

export interface LocalBusSpec {
  readonly links: readonly Link[];
  /** Hears the errors of answers that threw. */
  readonly logger?: Logger;
}

/**
 * Asks the other ends of its links; an end that does not serve the asked id stays silent. Nothing is passed on.
 * @example createLocalBus({ links: [executorProcess], logger })
 */
export function createLocalBus({ links, logger }: LocalBusSpec): Bus {
  const serving = new Map<string, AnswerLive>();
  const pending = createPendingAsks();
  const feeds = createLocalFeeds(links);

  const onMessage = (link: Link, message: unknown): void => {
    const fields = fieldsOf(message);
    if (fields?.["to"] !== "bus") return;
    if (fields["kind"] === "ask") onAsk(link, fields);
    if (fields["kind"] === "answer") onAnswer(fields);
    feeds.hear(link, fields);
  };

  const onAsk = (link: Link, { id, serviceId, question }: Fields): void => {
    const answer = serving.get(String(serviceId));
    const asked = readQuestion(question);
    if (answer === undefined || asked === undefined || typeof id !== "number") return;
    answerSafely(answer, asked, logger)
      .then((given) => send(link, { to: "bus", kind: "answer", id, answer: given }))
      .catch((error: unknown) => logger?.error({ error: messageOf(error) }, "no answer was sent"));
  };

  const onAnswer = ({ id, answer }: Fields): void => {
    const given = readAnswer(answer);
    if (given !== undefined) pending.settle(Number(id), given);
  };

  const unsubscribes = links.map((link) => link.onMessage((message) => onMessage(link, message)));

  return {
    ask: (serviceId, question, timeoutMs) =>
      pending.ask(timeoutMs, async (id) => {
        const own = serving.get(serviceId);
        if (own !== undefined) pending.settle(id, await answerSafely(own, question, logger));
        for (const link of links) send(link, { to: "bus", kind: "ask", id, serviceId, question });
        return links.length > 0;
      }),
    serve: async (serviceId, answer) => {
      serving.set(serviceId, answer);
      return async () => {
        if (serving.get(serviceId) === answer) serving.delete(serviceId);
      };
    },
    openFeed: feeds.openFeed,
    follow: feeds.follow,
    health: () => ({ state: "up" }),
    close: async () => {
      for (const unsubscribe of unsubscribes) unsubscribe();
      serving.clear();
      pending.close();
      feeds.close();
    },
  };
}

function send(link: Link, envelope: BusEnvelope): void {
  link.send(envelope);
}
