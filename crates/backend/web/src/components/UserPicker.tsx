import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { listUsers } from "../api.ts";
import { t } from "../i18n.ts";
import { reasonOf } from "../sending.ts";
import { create, enter, lastUser, pendingQrcode } from "../session.ts";
import { about } from "../store.ts";
import type { User } from "../wire.ts";
import { Avatar } from "./Avatar.tsx";
import { Goose, Icon } from "./icons.tsx";
import { LangSwitch, ThemeSwitch } from "./switches.tsx";

/** The first screen: who is holding this phone? */
export function UserPicker() {
  const users = useSignal<readonly User[]>([]);
  const name = useSignal("");
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const doorOpen = about.value?.open_door === true;

  useEffect(() => {
    if (!doorOpen) return;
    listUsers().then(
      (list) => (users.value = list),
      (error: unknown) => (problem.value = reasonOf(error)),
    );
  }, [doorOpen]);

  async function go(work: () => Promise<void>): Promise<void> {
    busy.value = true;
    problem.value = null;
    try {
      await work();
    } catch (error) {
      problem.value = reasonOf(error);
      busy.value = false;
    }
  }

  const last = lastUser.value;
  const shown = last === null ? users.value : [last, ...users.value.filter((user) => user.id !== last.id)];

  return (
    <main class="picker">
      <div class="picker-card">
        <div class="picker-switches">
          <LangSwitch />
          <ThemeSwitch />
        </div>
        <header class="picker-head">
          <Goose />
          <h1>
            鸿雁 <small>Hongyan</small>
          </h1>
          <p class="tagline">{t("tagline")}</p>
        </header>
        <h2>{t("whoAreYou")}</h2>
        {pendingQrcode.value !== null && <p class="hint">{t("whoScans")}</p>}
        <p class="hint">{t(doorOpen ? "whoAreYouHint" : "doorClosed")}</p>

        <form
          class="picker-create"
          onSubmit={(event) => {
            event.preventDefault();
            const chosen = name.value.trim();
            if (chosen !== "") void go(() => create(chosen));
          }}
        >
          <input
            class="field"
            data-testid="user-create-name"
            aria-label={t("yourName")}
            placeholder={t("yourName")}
            maxLength={64}
            autocomplete="off"
            autofocus
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
          <button class="button button-main" data-testid="user-create-submit" disabled={busy.value || !name.value.trim()}>
            {t("createUser")}
          </button>
        </form>
        {problem.value !== null && (
          <p class="problem" role="alert">
            {problem.value}
          </p>
        )}

        {shown.length > 0 && (
          <ul class="picker-list">
            {shown.map((user) => (
              <li key={user.id}>
                <button
                  type="button"
                  class="picker-user"
                  data-testid="user-item"
                  data-user={user.id}
                  aria-label={t("continueAs", { name: user.name })}
                  disabled={busy.value}
                  onClick={() => void go(() => enter(user.id))}
                >
                  <Avatar id={user.id} name={user.name} />
                  <span class="picker-name">
                    {user.name}
                    <small>{user.id === last?.id ? t("lastHere") : user.id}</small>
                  </span>
                  <Icon name="right" />
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </main>
  );
}
