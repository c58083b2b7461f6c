// One chat's messages, and how they change. Pure: every function returns a new Chat.

import type { Message, MessagePage } from "./wire.ts";

export interface Chat {
  /** Ascending by id, without gaps. */
  readonly messages: readonly Message[];
  /** There are older ones on the backend. */
  readonly more: boolean;
  /** The newest page has been read. */
  readonly loaded: boolean;
  /** The bot's client has acknowledged my messages up to this id. */
  readonly deliveredUpTo: string | null;
}

export const EMPTY_CHAT: Chat = { messages: [], more: false, loaded: false, deliveredUpTo: null };

/** Orders decimal 64-bit ids, which a number can't hold. */
export function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

function isDelivered(chat: Chat, message: Message): boolean {
  return message.from === "me" && chat.deliveredUpTo !== null && compareIds(message.id, chat.deliveredUpTo) <= 0;
}

/** The message as it is to be kept: an answer that was overtaken by an event must not take a tick away. */
function settled(chat: Chat, message: Message, known: Message | undefined): Message {
  if (message.state === "sent" && (known?.state === "delivered" || isDelivered(chat, message))) {
    return { ...message, state: "delivered" };
  }
  return message;
}

function merge(chat: Chat, incoming: readonly Message[]): Message[] {
  const byId = new Map(chat.messages.map((message) => [message.id, message]));
  for (const message of incoming) byId.set(message.id, settled(chat, message, byId.get(message.id)));
  return [...byId.values()].sort((a, b) => compareIds(a.id, b.id));
}

/** A new or changed message. */
export function withMessage(chat: Chat, message: Message): Chat {
  return { ...chat, messages: merge(chat, [message]) };
}

/** The newest page was read. What is older is kept only if nothing can be missing in between. */
export function withNewestPage(chat: Chat, page: MessagePage): Chat {
  const oldest = page.messages[0];
  const newestKnown = chat.messages.at(-1);
  const touches = oldest !== undefined && newestKnown !== undefined && compareIds(oldest.id, newestKnown.id) <= 0;
  if (!page.more || touches) {
    const reachesFurther = chat.loaded && touches;
    return { ...chat, messages: merge(chat, page.messages), more: reachesFurther ? chat.more : page.more, loaded: true };
  }
  return { ...chat, messages: merge({ ...chat, messages: [] }, page.messages), more: page.more, loaded: true };
}

/** An older page was read. */
export function withOlderPage(chat: Chat, page: MessagePage): Chat {
  return { ...chat, messages: merge(chat, page.messages), more: page.more };
}

export function withDelivered(chat: Chat, upTo: string): Chat {
  if (chat.deliveredUpTo !== null && compareIds(upTo, chat.deliveredUpTo) <= 0) return chat;
  const moved = { ...chat, deliveredUpTo: upTo };
  return { ...moved, messages: chat.messages.map((message) => settled(moved, message, message)) };
}
