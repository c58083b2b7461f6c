// What is about to be sent in each chat: the draft, files that were pasted or dropped, and what it answers to.

import { signal } from "@preact/signals";
import { drafts, saveDraft } from "./drafts.ts";
import { kindOf } from "./probe.ts";
import { sendMediaMessage, sendTextMessage, type Quoting } from "./sending.ts";

export const quotings = signal<ReadonlyMap<string, Quoting>>(new Map());

export function setQuoting(bot: string, quoting: Quoting | null): void {
  const next = new Map(quotings.value);
  if (quoting === null) next.delete(bot);
  else next.set(bot, quoting);
  quotings.value = next;
}

/** Pasted and dropped files wait for "send"; chosen ones go at once. */
export const attachments = signal<ReadonlyMap<string, readonly File[]>>(new Map());

function setAttachments(bot: string, files: readonly File[]): void {
  attachments.value = new Map(attachments.value).set(bot, files);
}

export function attach(bot: string, files: readonly File[]): void {
  setAttachments(bot, [...(attachments.value.get(bot) ?? []), ...files]);
}

export function detach(bot: string, file: File): void {
  setAttachments(bot, (attachments.value.get(bot) ?? []).filter((kept) => kept !== file));
}

export function forgetCompositions(): void {
  quotings.value = new Map();
  attachments.value = new Map();
}

/** The quote goes with the first message that is sent. */
function takeQuoting(bot: string): Quoting | null {
  const quoting = quotings.value.get(bot) ?? null;
  setQuoting(bot, null);
  return quoting;
}

/** Sends the attachments, then the text, so that a text can speak of the pictures above it. */
export function submit(bot: string): void {
  const text = (drafts.value.get(bot) ?? "").trim();
  sendFiles(bot, attachments.value.get(bot) ?? []);
  setAttachments(bot, []);
  if (text !== "") {
    sendTextMessage(bot, text, takeQuoting(bot));
    saveDraft(bot, "");
  }
}

export function sendFiles(bot: string, files: readonly File[]): void {
  for (const file of files) sendMediaMessage(bot, kindOf(file), file, file.name, takeQuoting(bot));
}

/** As they are, without making pictures of them. */
export function sendAsFiles(bot: string, files: readonly File[]): void {
  for (const file of files) sendMediaMessage(bot, "file", file, file.name, takeQuoting(bot));
}

export function sendVoice(bot: string, recording: Blob, name: string): void {
  sendMediaMessage(bot, "voice", recording, name, takeQuoting(bot));
}
