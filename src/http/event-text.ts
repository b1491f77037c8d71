// Writes what a watcher gets as server-sent events, and reads back the id it returns with.

import { wellFormedJson } from "../core/well-formed.ts";
import type { EventPlace, StreamItem } from "../use-cases/task-events.ts";

const ID = /^(\d{1,15})-(\d{1,15})$/;

/** The text of one item. `end` and `reset` carry data too: browsers drop events without. */
export function eventText(item: StreamItem): string {
  switch (item.kind) {
    case "event": {
      const { fence, event } = item;
      const data = wellFormedJson(JSON.stringify(event));
      return `id: ${fence}-${event.seq}\nevent: ${event.type}\ndata: ${data}\n\n`;
    }
    case "reset": {
      const from = item.from === undefined ? null : `${item.from.fence}-${item.from.seq}`;
      return `event: reset\ndata: ${JSON.stringify({ reason: item.reason, after: from })}\n\n`;
    }
    case "end":
      return `event: end\ndata: ${JSON.stringify({ status: item.status })}\n\n`;
  }
}

/** A line that every client ignores, and that shows both sides that the other is there. */
export function commentText(words: string): string {
  return `: ${words}\n\n`;
}

/** The event a watcher returns with; a text that is no id is a place that cannot be. */
export function placeText(id: string): EventPlace {
  const [, fence, seq] = ID.exec(id) ?? [];
  if (fence === undefined) return { fence: Number.MAX_SAFE_INTEGER, seq: 0 };
  return { fence: Number(fence), seq: Number(seq) };
}
