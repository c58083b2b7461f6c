import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { attach, quotings, setQuoting } from "../compose.ts";
import { t } from "../i18n.ts";
import { closeChat } from "../session.ts";
import { openContact } from "../store.ts";
import { Avatar } from "./Avatar.tsx";
import { Composer } from "./Composer.tsx";
import { Icon } from "./icons.tsx";
import { MessageList } from "./MessageList.tsx";

export function Chat({ bot }: { bot: string }) {
  const contact = openContact.value;
  const name = contact?.name ?? bot;
  const dropping = useSignal(false);

  useEffect(() => {
    // Dialogs and menus handle Esc themselves and stop it.
    function onKey(event: KeyboardEvent): void {
      if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]") !== null) return;
      if (quotings.value.has(bot)) setQuoting(bot, null);
      else closeChat();
    }
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [bot]);

  return (
    <main
      class="chat"
      onDragOver={(event) => {
        if (event.dataTransfer?.types.includes("Files") !== true) return;
        event.preventDefault();
        dropping.value = true;
      }}
      onDragLeave={(event) => {
        const into = event.relatedTarget;
        if (!(into instanceof Node && event.currentTarget.contains(into))) dropping.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        dropping.value = false;
        attach(bot, [...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <header class="bar">
        <button type="button" class="icon-button chat-back" aria-label={t("back")} data-testid="back" onClick={closeChat}>
          <Icon name="back" />
        </button>
        <Avatar id={bot} name={name} />
        <div class="chat-title">
          <h1 title={bot}>{name}</h1>
          {contact?.typing === true ? (
            <p class="chat-status chat-typing" data-testid="typing">
              {t("typing")}
            </p>
          ) : (
            contact !== null && (
              <p class="chat-status">
                <span class={contact.online ? "dot dot-on" : "dot"} /> {t(contact.online ? "online" : "offline")}
              </p>
            )
          )}
        </div>
      </header>
      {contact?.stale === true && (
        <p class="chat-stale" role="note">
          <Icon name="alert" /> {t("staleHint")}
        </p>
      )}
      <MessageList bot={bot} name={name} typing={contact?.typing === true} />
      <Composer bot={bot} name={name} />
      {dropping.value && (
        <div class="drop">
          <Icon name="clip" />
          {t("dropHere")}
        </div>
      )}
    </main>
  );
}
