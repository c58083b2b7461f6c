// The event stream of one user. EventSource reconnects by itself and sends Last-Event-ID; what it does not do is come
// back after the server refused it once, so that is done here.

import { signal } from "@preact/signals";
import { eventsUrl } from "./api.ts";
import type { Contact, Delivered, Login, Message, Typing } from "./wire.ts";

export interface EventHandlers {
  message(message: Message): void;
  delivered(delivered: Delivered): void;
  typing(typing: Typing): void;
  contact(contact: Contact): void;
  login(login: Login): void;
  /** The server has refused the stream. Resolves to whether it is worth trying again. */
  refused(): Promise<boolean>;
  /** Events may have been missed: what is on the screen has to be read again. */
  reset(): void;
}

/** "down" only after a moment of trying, so that a short break does not make a banner flash. */
export const connection = signal<"up" | "connecting" | "down">("connecting");

const GRACE_MS = 1500;
const RETRY_MS = 3000;

/** Follows the events of a user until the returned function is called. */
export function follow(user: string, handlers: EventHandlers): () => void {
  let source: EventSource | null = null;
  let grace: number | undefined;
  let retry: number | undefined;
  let opened = 0;
  let ended = false;

  function lost(): void {
    if (connection.value === "up") connection.value = "connecting";
    grace ??= window.setTimeout(() => {
      connection.value = "down";
    }, GRACE_MS);
    if (source?.readyState === EventSource.CLOSED) {
      window.clearTimeout(retry);
      retry = window.setTimeout(() => void reopen(), RETRY_MS);
    }
  }

  async function reopen(): Promise<void> {
    if ((await handlers.refused()) && !ended) open();
  }

  function found(): void {
    window.clearTimeout(grace);
    grace = undefined;
    connection.value = "up";
  }

  function open(): void {
    window.clearTimeout(retry);
    source?.close();
    source = new EventSource(eventsUrl(user));
    opened += 1;
    // A new EventSource knows no Last-Event-ID: the server can't tell that anything was missed.
    const again = opened > 1;
    source.addEventListener("hello", () => {
      found();
      if (again) handlers.reset();
    }, { once: true });
    source.onopen = found;
    source.onerror = lost;
    on(source, "message", handlers.message);
    on(source, "delivered", handlers.delivered);
    on(source, "typing", handlers.typing);
    on(source, "contact", handlers.contact);
    on(source, "login", handlers.login);
    source.addEventListener("reset", () => handlers.reset());
  }

  function wake(): void {
    if (document.visibilityState === "visible" && source?.readyState === EventSource.CLOSED) void reopen();
  }

  open();
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
  return () => {
    ended = true;
    window.removeEventListener("online", wake);
    document.removeEventListener("visibilitychange", wake);
    window.clearTimeout(grace);
    window.clearTimeout(retry);
    source?.close();
    connection.value = "connecting";
  };
}

function on<Data>(source: EventSource, name: string, handle: (data: Data) => void): void {
  source.addEventListener(name, (event: MessageEvent<string>) => handle(JSON.parse(event.data) as Data));
}
