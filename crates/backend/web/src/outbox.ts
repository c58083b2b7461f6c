// Messages that are on their way to the backend. Texts are remembered, so that a closed tab does not lose them; media
// are too large for that.

import { signal } from "@preact/signals";
import { recall, remember } from "./storage.ts";
import type { Item, MediaKind, Message, Quote } from "./wire.ts";

export interface MediaBody {
  kind: MediaKind;
  blob: Blob;
  name: string;
}

export interface Outgoing {
  localId: string;
  bot: string;
  at: number;
  state: "pending" | "failed";
  /** Why it failed. */
  reason: string | null;
  /** How much of an upload is done, 0 to 1; null for texts. */
  progress: number | null;
  /** What to show meanwhile. */
  items: Item[];
  quote: Quote | null;
  /** Only this part of the quoted text was selected. */
  quotePart: string | null;
  /** null = a text, which is in `items`. */
  media: MediaBody | null;
}

/** In the order in which they were sent. */
export const outbox = signal<readonly Outgoing[]>([]);

let owner = "";

export function loadOutbox(user: string): void {
  owner = user;
  outbox.value = remembered(recall(`outbox.${user}`));
}

/** Whether these arrived is not known; the chat's messages tell, or the person tries again. */
function remembered(json: string | null): Outgoing[] {
  if (json === null) return [];
  try {
    const saved = JSON.parse(json) as Outgoing[];
    return saved.map((outgoing) => ({ ...outgoing, state: "failed" }));
  } catch {
    return [];
  }
}

function set(next: readonly Outgoing[]): void {
  outbox.value = next;
  const texts = next.filter((outgoing) => outgoing.media === null);
  remember(`outbox.${owner}`, texts.length === 0 ? null : JSON.stringify(texts));
}

export function putOutgoing(outgoing: Outgoing): void {
  set([...outbox.value, outgoing]);
}

export function changeOutgoing(localId: string, change: Partial<Outgoing>): void {
  set(outbox.value.map((outgoing) => (outgoing.localId === localId ? { ...outgoing, ...change } : outgoing)));
}

export function dropOutgoing(localId: string): void {
  set(outbox.value.filter((outgoing) => outgoing.localId !== localId));
}

/** Drops what has become a message. */
export function settleOutbox(messages: readonly Message[]): void {
  const arrived = new Set(messages.map((message) => message.local_id));
  if (outbox.value.some((outgoing) => arrived.has(outgoing.localId))) {
    set(outbox.value.filter((outgoing) => !arrived.has(outgoing.localId)));
  }
}
