// A chat as it stands on the screen: the backend's messages, then those on their way. Pure.

import type { Chat } from "./chat.ts";
import { daysBetween } from "./format.ts";
import type { Outgoing } from "./outbox.ts";
import type { Item, Message, Quote, Sender } from "./wire.ts";

export type Tick = "pending" | "sent" | "delivered" | "failed";

export interface Bubble {
  /** The same before and after the backend knows the message, so that its element stays. */
  key: string;
  id: string | null;
  localId: string | null;
  from: Sender;
  at: number;
  /** null for the bot's messages. */
  tick: Tick | null;
  /** How much of an upload is done, 0 to 1. */
  progress: number | null;
  /** Why it was not sent. */
  reason: string | null;
  items: readonly Item[];
  quote: Quote | null;
  /** The time is written above it. */
  separated: boolean;
  /** The first of several in a row from the same sender. */
  leads: boolean;
}

const PAUSE_MS = 10 * 60_000;

export function bubblesOf(chat: Chat, outgoing: readonly Outgoing[]): Bubble[] {
  const arrived = new Set(chat.messages.map((message) => message.local_id));
  const bubbles = [
    ...foldCalls(chat.messages).map(ofMessage),
    ...outgoing.filter(({ localId }) => !arrived.has(localId)).map(ofOutgoing),
  ];
  let before: Bubble | undefined;
  for (const bubble of bubbles) {
    bubble.separated =
      before === undefined || bubble.at - before.at > PAUSE_MS || daysBetween(before.at, bubble.at) !== 0;
    bubble.leads = bubble.separated || bubble.from !== before?.from;
    before = bubble;
  }
  return bubbles;
}

/**
 * A tool call's progress may come in several messages: it is shown where the call began, as it stands now. A call that
 * has ended is over, whatever bears its id later.
 */
function foldCalls(messages: readonly Message[]): Message[] {
  const open = new Map<string, { items: Item[]; index: number }>();
  return messages.flatMap((message) => {
    const items: Item[] = [];
    for (const item of message.items) {
      if (item.type !== "tool") {
        items.push(item);
        continue;
      }
      const call = `${message.run_id ?? ""} ${item.call_id}`;
      const place = open.get(call) ?? { items, index: items.length };
      place.items[place.index] = item;
      if (item.status === "running") open.set(call, place);
      else open.delete(call);
    }
    return items.length === 0 && message.items.length > 0 ? [] : [{ ...message, items }];
  });
}

function ofMessage(message: Message): Bubble {
  const { id, local_id: localId, from, at, items, quote, state } = message;
  return {
    key: localId ?? id,
    id,
    localId,
    from,
    at,
    tick: from === "me" ? state : null,
    progress: null,
    reason: null,
    items,
    quote,
    separated: false,
    leads: false,
  };
}

function ofOutgoing({ localId, at, state, progress, reason, items, quote }: Outgoing): Bubble {
  return {
    key: localId,
    id: null,
    localId,
    from: "me",
    at,
    tick: state,
    progress,
    reason,
    items,
    quote,
    separated: false,
    leads: false,
  };
}
