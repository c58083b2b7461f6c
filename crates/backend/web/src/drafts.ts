// What was typed and not yet sent, per user and chat. It survives a closed tab.

import { signal } from "@preact/signals";
import { recall, recallKeys, remember } from "./storage.ts";

/** By bot, for the user who is in. */
export const drafts = signal<ReadonlyMap<string, string>>(new Map());

let owner = "";

const keyOf = (bot: string) => `draft.${owner}.${bot}`;

export function loadDrafts(user: string): void {
  owner = user;
  const start = keyOf("");
  drafts.value = new Map(recallKeys(start).map((key) => [key.slice(start.length), recall(key) ?? ""]));
}

export function saveDraft(bot: string, text: string): void {
  const next = new Map(drafts.value);
  if (text === "") next.delete(bot);
  else next.set(bot, text);
  drafts.value = next;
  remember(keyOf(bot), text === "" ? null : text);
}
