import { drafts } from "../drafts.ts";
import { shortTime, withoutMarks } from "../format.ts";
import { t } from "../i18n.ts";
import { lang } from "../prefs.ts";
import { openChat } from "../session.ts";
import { about, contacts, contactsLoaded, me, openBot } from "../store.ts";
import { scanOpen, settingsOpen } from "../ui.ts";
import type { Contact } from "../wire.ts";
import { Avatar } from "./Avatar.tsx";
import { Goose, Icon } from "./icons.tsx";

export function Contacts() {
  const user = me.value;
  return (
    <nav class="contacts" aria-label={t("chats")}>
      <header class="bar">
        <button
          type="button"
          class="bar-me"
          data-testid="settings-open"
          aria-label={`${t("settings")}: ${user?.name ?? ""}`}
          onClick={() => (settingsOpen.value = true)}
        >
          <Avatar id={user?.id ?? ""} name={user?.name ?? ""} />
          <span class="bar-name">{user?.name}</span>
        </button>
        <button
          type="button"
          class="icon-button"
          data-testid="scan-open"
          aria-label={t("scan")}
          title={t("scan")}
          onClick={() => (scanOpen.value = true)}
        >
          <Icon name="scan" />
        </button>
      </header>
      <div class="contacts-scroll">
        {contacts.value.length > 0 ? (
          <ul class="contacts-list">
            {contacts.value.map((contact) => (
              <li key={contact.bot}>
                <ContactRow contact={contact} />
              </li>
            ))}
          </ul>
        ) : (
          contactsLoaded.value && <NoContacts />
        )}
      </div>
      <footer class="contacts-foot">
        <Goose /> {about.value?.policy === "tencent" ? "鸿雁 Hongyan · iLink" : "鸿雁 Hongyan"}
      </footer>
    </nav>
  );
}

function NoContacts() {
  return (
    <div class="contacts-none">
      <h2>{t("noContacts")}</h2>
      <p class="hint">{t("noContactsHint")}</p>
      <button type="button" class="button button-main" onClick={() => (scanOpen.value = true)}>
        <Icon name="scan" />
        {t("scan")}
      </button>
    </div>
  );
}

function ContactRow({ contact }: { contact: Contact }) {
  const { bot, name, online, unread, stale, last } = contact;
  const open = openBot.value === bot;
  return (
    <button
      type="button"
      class="contact"
      data-testid="contact"
      data-bot={bot}
      data-online={online}
      aria-current={open ? "true" : undefined}
      onClick={() => openChat(bot)}
    >
      <Avatar id={bot} name={name} online={online} />
      <span class="contact-main">
        <span class="contact-top">
          <span class="contact-name">{name}</span>
          {stale && <span class="tag tag-warn">{t("stale")}</span>}
          {last !== null && <time>{shortTime(last.at, Date.now(), lang.value, t("yesterday"))}</time>}
        </span>
        <span class="contact-bottom">
          <LastLine contact={contact} open={open} />
          {unread > 0 && (
            <span class="badge" data-testid="unread" aria-label={t("unread", { count: unread })}>
              {unread > 99 ? "99+" : unread}
            </span>
          )}
        </span>
      </span>
      <span class="visually-hidden">{t(online ? "online" : "offline")}</span>
    </button>
  );
}

function LastLine({ contact, open }: { contact: Contact; open: boolean }) {
  const draft = drafts.value.get(contact.bot);
  if (contact.typing) return <span class="contact-line contact-typing">{t("typing")}</span>;
  if (draft !== undefined && !open) {
    return (
      <span class="contact-line">
        <span class="contact-draft">[{t("draft")}]</span> {draft}
      </span>
    );
  }
  const { text = "", from } = contact.last ?? {};
  return <span class="contact-line">{from === "bot" ? withoutMarks(text) : text}</span>;
}
