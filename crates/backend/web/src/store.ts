// What the page knows while a user is in: contacts, chats, and which chat is open.

import { computed, effect, signal, type Signal } from "@preact/signals";
import * as api from "./api.ts";
import {
  compareIds,
  EMPTY_CHAT,
  withDelivered,
  withMessage,
  withNewestPage,
  withOlderPage,
  type Chat,
} from "./chat.ts";
import { settleOutbox } from "./outbox.ts";
import { summaryOf } from "./summary.ts";
import type { About, Contact, Message, User } from "./wire.ts";

const PAGE_SIZE = 50;

export const about = signal<About | null>(null);
export const me = signal<User | null>(null);
export const contacts = signal<readonly Contact[]>([]);
export const contactsLoaded = signal(false);
export const openBot = signal<string | null>(null);
export const openContact = computed(() => contacts.value.find((contact) => contact.bot === openBot.value) ?? null);
export const unreadTotal = computed(() => contacts.value.reduce((sum, contact) => sum + contact.unread, 0));

/** Whether somebody can be looking at the page. */
export const visible = signal(document.visibilityState === "visible");

const chats = new Map<string, Signal<Chat>>();

export function chatOf(bot: string): Signal<Chat> {
  let chat = chats.get(bot);
  if (chat === undefined) {
    chat = signal(EMPTY_CHAT);
    chats.set(bot, chat);
  }
  return chat;
}

/** The user who is in. Only code that runs for a user calls it. */
export function requireMe(): User {
  if (me.value === null) throw new Error("nobody is in");
  return me.value;
}

export function forgetEverything(): void {
  contacts.value = [];
  contactsLoaded.value = false;
  openBot.value = null;
  chats.clear();
}

function newestFirst(list: readonly Contact[]): Contact[] {
  return [...list].sort((a, b) => (b.last?.at ?? 0) - (a.last?.at ?? 0));
}

export function loadContacts(): Promise<void> {
  return once("contacts", async (user) => {
    const list = await api.listContacts(user);
    if (me.value?.id !== user) return;
    contacts.value = newestFirst(list);
    contactsLoaded.value = true;
  });
}

export function putContact(contact: Contact): void {
  const others = contacts.value.filter((known) => known.bot !== contact.bot);
  contacts.value = newestFirst([contact, ...others]);
}

function changeContact(bot: string, change: Partial<Contact>): void {
  const contact = contacts.value.find((known) => known.bot === bot);
  if (contact !== undefined) putContact({ ...contact, ...change });
}

export function setTyping(bot: string, on: boolean): void {
  changeContact(bot, { typing: on });
}

export function loadChat(bot: string): Promise<void> {
  return once(`newest ${bot}`, async (user) => {
    const page = await api.listMessages(user, bot, null, PAGE_SIZE);
    if (me.value?.id !== user) return;
    const chat = chatOf(bot);
    chat.value = withNewestPage(chat.value, page);
    settleOutbox(page.messages);
  });
}

export function loadOlder(bot: string): Promise<void> {
  return once(`older ${bot}`, async (user) => {
    const oldest = chatOf(bot).value.messages[0];
    if (oldest === undefined || !chatOf(bot).value.more) return;
    const page = await api.listMessages(user, bot, oldest.id, PAGE_SIZE);
    if (me.value?.id !== user) return;
    const chat = chatOf(bot);
    chat.value = withOlderPage(chat.value, page);
  });
}

const underWay = new Map<string, Promise<void>>();

/** Runs some loading for the user who is in, unless the same is under way already. */
function once(what: string, load: (user: string) => Promise<void>): Promise<void> {
  const user = requireMe().id;
  const key = `${user} ${what}`;
  let work = underWay.get(key);
  if (work === undefined) {
    work = load(user).finally(() => underWay.delete(key));
    underWay.set(key, work);
  }
  return work;
}

/** After missed events: what is on the screen is read again, the other chats when they are opened. */
export async function reload(): Promise<void> {
  for (const bot of [...chats.keys()]) {
    if (bot !== openBot.value) chats.delete(bot);
  }
  await Promise.all([loadContacts(), openBot.value === null ? null : loadChat(openBot.value)]);
}

export function putMessage(message: Message): void {
  const chat = chatOf(message.bot);
  const newest = chat.value.messages.at(-1);
  chat.value = withMessage(chat.value, message);
  settleOutbox([message]);
  const isNewest = newest === undefined || compareIds(message.id, newest.id) >= 0;
  const line = summaryOf(message.items);
  if (isNewest && line !== "") {
    changeContact(message.bot, { last: { text: line, at: message.at, from: message.from } });
  }
}

export function putDelivered(bot: string, upTo: string): void {
  const chat = chatOf(bot);
  chat.value = withDelivered(chat.value, upTo);
}

/** Clears the unread count of the chat that is being looked at, now and whenever something arrives in it. */
export function readWhatIsSeen(): void {
  effect(() => {
    const contact = openContact.value;
    if (me.value === null || contact === null || contact.unread === 0 || !visible.value) return;
    changeContact(contact.bot, { unread: 0 });
    // A lost call is made up for by the next one: the backend still counts these as unread.
    api.markRead(me.value.id, contact.bot).catch(() => undefined);
  });
  document.addEventListener("visibilitychange", () => {
    visible.value = document.visibilityState === "visible";
  });
}
