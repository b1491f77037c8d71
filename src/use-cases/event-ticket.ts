// Tickets: the right to watch one task, for callers that cannot sign, such as a browser; sealed, so that nothing has to be stored.
import { AppError } from "../core/errors.ts";
import type { SecretBox } from "../core/secret-box.ts";
import type { TicketView } from "../core/views/ticket.ts";

/** How long a ticket opens a stream; a stream that is open stays open for its time. */
const TICKET_MS = 60_000;

const KIND = "events-ticket";

export interface TicketDeps {
  readonly secretBox: SecretBox;
  /** Epoch ms of this process. */
  readonly nowMs: () => number;
}

/** What a ticket is for. */
export interface TicketSubject {
  readonly applicationId: number;
  readonly taskId: number;
}

export function issueTicket({ secretBox, nowMs }: TicketDeps, subject: TicketSubject): TicketView {
  const expiresAt = nowMs() + TICKET_MS;
  const { applicationId, taskId } = subject;
  const text = JSON.stringify({ kind: KIND, applicationId, taskId, expiresAt });
  return { ticket: secretBox.seal(text), expires_at: expiresAt };
}

/** The application whose task it is. Throws AppError `unauthorised`, the same whatever is wrong with it. */
export function redeemTicket({ secretBox, nowMs }: TicketDeps, ticket: string, taskId: number) {
  const { kind, applicationId, taskId: meant, expiresAt } = openTicket(secretBox, ticket);
  const isGood = kind === KIND && meant === taskId && Number(expiresAt) > nowMs();
  if (!isGood || typeof applicationId !== "number") throw badTicket();
  return { applicationId };
}

function openTicket(secretBox: SecretBox, ticket: string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(secretBox.open(ticket));
    return typeof content === "object" && content !== null ? { ...content } : {};
  } catch {
    // Sealed elsewhere, damaged, or something else that was sealed here: all are no ticket.
    return {};
  }
}

function badTicket(): AppError {
  return new AppError(
    "unauthorised",
    "the ticket is not one for this task, or it is older than a minute; get one from POST /task/{id}/ticket",
  );
}
