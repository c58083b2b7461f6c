import { t } from "../i18n.ts";
import { openBot } from "../store.ts";
import { Chat } from "./Chat.tsx";
import { Contacts } from "./Contacts.tsx";
import { Goose } from "./icons.tsx";

/** Contacts and chat: side by side if there is room, one over the other if not. */
export function Phone() {
  const bot = openBot.value;
  return (
    <div class={bot === null ? "phone" : "phone phone-chatting"}>
      <Contacts />
      {bot === null ? (
        <div class="chat-none">
          <Goose />
          <p>{t("pickChat")}</p>
        </div>
      ) : (
        <Chat key={bot} bot={bot} />
      )}
    </div>
  );
}
