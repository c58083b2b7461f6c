// Who is in, and which address the page stands at.

import { effect, signal } from "@preact/signals";
import * as api from "./api.ts";
import { forgetCompositions } from "./compose.ts";
import { loadDrafts } from "./drafts.ts";
import { connection, follow } from "./events.ts";
import { t } from "./i18n.ts";
import { parseRoute, routePath } from "./links.ts";
import { loginSheet, onLoginEvent, refreshLogin, startLogin } from "./login.ts";
import { loadOutbox, outbox } from "./outbox.ts";
import { reasonOf } from "./sending.ts";
import * as store from "./store.ts";
import { recall, remember } from "./storage.ts";
import { summaryOf } from "./summary.ts";
import { announce, showToast } from "./toast.ts";
import type { Message, User } from "./wire.ts";

/** "unreachable" = the backend did not answer; "choosing" = somebody has to say who they are. */
export const phase = signal<"starting" | "unreachable" | "choosing" | "in">("starting");

/** The user who was here last, if the browser may still enter as them. */
export const lastUser = signal<User | null>(null);

/** The QR code whose link was opened, until it is dealt with. */
export const pendingQrcode = signal<string | null>(null);

let unfollow: () => void = () => undefined;

export async function boot(): Promise<void> {
  phase.value = "starting";
  try {
    store.about.value = await api.getAbout();
  } catch {
    phase.value = "unreachable";
    return;
  }
  const route = parseRoute(location.pathname, location.search);
  pendingQrcode.value = route.qrcode;
  const remembered = recall("user");
  try {
    if (route.user !== null) {
      return signIn(await admit(route.user), route.bot);
    }
    if (remembered !== null) {
      lastUser.value = await admit(remembered);
      // Who opens a QR link may want to be somebody else than last time.
      if (route.qrcode === null) return signIn(lastUser.value, route.bot);
    }
  } catch (error) {
    if (!api.isDenied(error) && !api.isMissing(error)) {
      phase.value = "unreachable";
      return;
    }
    if (route.user !== null) showToast(t("noSuchUser"));
    else remember("user", null);
  }
  phase.value = "choosing";
}

/** The user, if the door is open or this browser was let in as them before. */
function admit(user: string): Promise<User> {
  return store.about.value?.open_door === true ? api.enterUser(user) : api.getMe(user);
}

/** Whether events may still be asked for. If not, somebody has to say anew who they are. */
async function readmit(user: string): Promise<boolean> {
  try {
    await admit(user);
    return true;
  } catch (error) {
    const shutOut = api.isDenied(error) || api.isMissing(error);
    if (shutOut && store.me.value?.id === user) {
      leave();
      lastUser.value = null;
      showToast(t("noSuchUser"));
    }
    return !shutOut;
  }
}

export async function enter(user: string): Promise<void> {
  signIn(await admit(user), null);
}

export async function create(name: string): Promise<void> {
  signIn(await api.createUser(name), null);
}

function signIn(user: User, bot: string | null): void {
  const qrcode = pendingQrcode.value;
  pendingQrcode.value = null;
  store.me.value = user;
  remember("user", user.id);
  loadDrafts(user.id);
  loadOutbox(user.id);
  store.openBot.value = bot;
  phase.value = "in";
  if (qrcode === null) history.replaceState(null, "", routePath(user.id, bot));
  else startLogin(qrcode);
  unfollow = follow(user.id, {
    message: receive,
    delivered: ({ bot: chat, up_to }) => store.putDelivered(chat, up_to),
    typing: ({ bot: chat, on }) => store.setTyping(chat, on),
    contact: store.putContact,
    login: onLoginEvent,
    refused: () => readmit(user.id),
    reset: () => quietly(Promise.all([store.reload(), refreshLogin()])),
  });
}

export function leave(): void {
  unfollow();
  lastUser.value = store.me.value;
  store.me.value = null;
  store.forgetEverything();
  forgetCompositions();
  outbox.value = [];
  remember("user", null);
  history.replaceState(null, "", "/phone/");
  phase.value = "choosing";
}

function receive(message: Message): void {
  store.putMessage(message);
  if (message.from !== "bot" || message.bot !== store.openBot.value) return;
  const name = store.openContact.value?.name ?? "";
  const text = summaryOf(message.items);
  if (text !== "") announce(t("newMessageFrom", { name, text }));
}

/** Reports a failure that nothing else on the screen shows. While the connection is down, the banner does. */
function quietly(work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    if (!(error instanceof api.ApiError && error.status === 0)) showToast(reasonOf(error));
  });
}

export function openChat(bot: string): void {
  const path = routePath(store.requireMe().id, bot);
  // One step in the history for "a chat is open", so that a phone's back button leads to the contacts.
  if (store.openBot.value === null) history.pushState({ fromContacts: true }, "", path);
  else history.replaceState(history.state, "", path);
  store.openBot.value = bot;
}

export function closeChat(): void {
  if (isFromContacts(history.state)) return history.back();
  store.openBot.value = null;
  history.replaceState(null, "", routePath(store.requireMe().id, null));
}

function isFromContacts(state: unknown): boolean {
  return typeof state === "object" && state !== null && "fromContacts" in state;
}

/** Loads what is shown and not known yet: at the start, when a chat is opened, and again once the connection is back. */
export function loadWhatIsShown(): void {
  effect(() => {
    if (store.me.value === null || connection.value === "down") return;
    const bot = store.openBot.value;
    if (!store.contactsLoaded.peek()) quietly(store.loadContacts());
    if (bot !== null && !store.chatOf(bot).peek().loaded) quietly(store.loadChat(bot));
  });
}

/** Follows the browser's back and forward, and leaves a QR code's address once the code is dealt with. */
export function followAddress(): void {
  effect(() => {
    const user = store.me.value;
    const atQrcode = parseRoute(location.pathname, "").qrcode !== null;
    if (user !== null && loginSheet.value === null && atQrcode) {
      history.replaceState(null, "", routePath(user.id, store.openBot.peek()));
    }
  });
  window.addEventListener("popstate", () => {
    const route = parseRoute(location.pathname, location.search);
    if (route.user === store.me.value?.id) store.openBot.value = route.bot;
    else location.reload();
  });
}
