// Sending: an optimistic bubble first, then the call. One lane per chat, so that messages arrive in the order in which
// they stand on the screen.

import { ApiError, sendMedia, sendText, type MediaToSend, type TextToSend } from "./api.ts";
import { t } from "./i18n.ts";
import { changeOutgoing, dropOutgoing, outbox, putOutgoing, type MediaBody, type Outgoing } from "./outbox.ts";
import { dropPreview, keepPreview } from "./previews.ts";
import { probe, UNKNOWN_PROBE, type Probe } from "./probe.ts";
import { me, openBot, putMessage, requireMe } from "./store.ts";
import { showToast } from "./toast.ts";
import type { Item, MediaKind, Message, Quote } from "./wire.ts";

/** What the next message answers to. */
export interface Quoting {
  quote: Quote;
  /** Only this part of the quoted text was selected. */
  part: string | null;
}

/** Not randomUUID: it is missing on pages that came over plain HTTP from another machine. */
function newLocalId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function sendTextMessage(bot: string, text: string, quoting: Quoting | null): void {
  start({
    localId: newLocalId(),
    bot,
    at: Date.now(),
    state: "pending",
    reason: null,
    progress: null,
    items: [{ type: "text", text, html: null }],
    quote: quoting?.quote ?? null,
    quotePart: quoting?.part ?? null,
    media: null,
  });
}

export function sendMediaMessage(
  bot: string,
  kind: MediaKind,
  blob: Blob,
  name: string,
  quoting: Quoting | null,
): void {
  const localId = newLocalId();
  const media = { kind, blob, name };
  start({
    localId,
    bot,
    at: Date.now(),
    state: "pending",
    reason: null,
    progress: 0,
    items: [mediaItem(media, keepPreview(localId, blob), UNKNOWN_PROBE)],
    quote: quoting?.quote ?? null,
    quotePart: null,
    media,
  });
}

function mediaItem({ kind, blob, name }: MediaBody, url: string, { width, height, durationMs }: Probe): Item {
  const size = blob.size;
  switch (kind) {
    case "image":
      return { type: "image", url, thumb_url: null, width, height, size };
    case "video":
      return { type: "video", url, thumb_url: null, duration_ms: durationMs, width, height, size };
    case "voice":
      return { type: "voice", url, duration_ms: durationMs ?? 0, text: null, format: "wav" };
    case "file":
      return { type: "file", url, name, size };
  }
}

function start(outgoing: Outgoing): void {
  putOutgoing(outgoing);
  enqueue(outgoing);
}

export function retry(localId: string): void {
  const outgoing = outbox.value.find((candidate) => candidate.localId === localId);
  if (outgoing === undefined || outgoing.state !== "failed") return;
  changeOutgoing(localId, { state: "pending", reason: null, progress: outgoing.media === null ? null : 0 });
  enqueue(outgoing);
}

export function discard(localId: string): void {
  dropOutgoing(localId);
  dropPreview(localId);
}

const lanes = new Map<string, Promise<void>>();

function enqueue(outgoing: Outgoing): void {
  const user = requireMe().id;
  const lane = lanes.get(outgoing.bot) ?? Promise.resolve();
  lanes.set(outgoing.bot, lane.then(() => deliver(user, outgoing)));
}

async function deliver(user: string, outgoing: Outgoing): Promise<void> {
  const stillIn = () => me.value?.id === user;
  try {
    const message = await post(user, outgoing);
    if (!stillIn()) return;
    putMessage(message);
    // The answer is the proof of arrival, whether or not it repeats the local id.
    dropOutgoing(outgoing.localId);
  } catch (error) {
    if (!stillIn()) return;
    const reason = reasonOf(error);
    changeOutgoing(outgoing.localId, { state: "failed", reason });
    // In the chat that is open, the bubble says it.
    if (openBot.value !== outgoing.bot) showToast(t("sendFailed", { reason }));
  }
}

function post(user: string, outgoing: Outgoing): Promise<Message> {
  const { media } = outgoing;
  return media === null ? postText(user, outgoing) : postMedia(user, outgoing, media);
}

function postText(user: string, { bot, localId, items, quote, quotePart }: Outgoing): Promise<Message> {
  const text = items.map((item) => (item.type === "text" ? item.text : "")).join("");
  const message: TextToSend = { text, local_id: localId };
  if (quote !== null && quote.message_id !== null) {
    message.quote = { message_id: quote.message_id, ...(quotePart === null ? {} : { text: quotePart }) };
  }
  return sendText(user, bot, message);
}

async function postMedia(user: string, { bot, localId, quote }: Outgoing, media: MediaBody): Promise<Message> {
  const probed = await probe(media.kind, media.blob);
  changeOutgoing(localId, { items: [mediaItem(media, keepPreview(localId, media.blob), probed)] });
  const upload: MediaToSend = {
    kind: media.kind,
    body: media.blob,
    name: media.name,
    local_id: localId,
    quote: quote?.message_id ?? null,
    width: probed.width,
    height: probed.height,
    duration_ms: probed.durationMs,
  };
  return sendMedia(user, bot, upload, (progress) => changeOutgoing(localId, { progress }));
}

/** A failure in the person's words where the page has them, in the backend's otherwise. */
export function reasonOf(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 0) return t("network");
    return error.hint === null ? error.message : `${error.message} (${error.hint})`;
  }
  return String(error);
}
