import { copy } from "../clipboard.ts";
import { t } from "../i18n.ts";
import { leave } from "../session.ts";
import { about, me } from "../store.ts";
import { settingsOpen } from "../ui.ts";
import { Avatar } from "./Avatar.tsx";
import { Icon } from "./icons.tsx";
import { Modal } from "./Modal.tsx";
import { LangSwitch, ThemeSwitch } from "./switches.tsx";

export function SettingsDialog() {
  const close = () => (settingsOpen.value = false);
  const user = me.value;
  if (user === null) return null;
  return (
    <Modal label={t("settings")} onClose={close}>
      <div class="settings-user">
        <Avatar id={user.id} name={user.name} />
        <div>
          <strong>{user.name}</strong>
          <button type="button" class="settings-id" title={t("copy")} onClick={() => void copy(user.id)}>
            <code>{user.id}</code>
            <Icon name="copy" />
          </button>
        </div>
      </div>
      <div class="settings-row">
        <span>{t("language")}</span>
        <LangSwitch />
      </div>
      <div class="settings-row">
        <span>{t("appearance")}</span>
        <ThemeSwitch />
      </div>
      <button
        type="button"
        class="button button-wide"
        data-testid="switch-user"
        onClick={() => {
          close();
          leave();
        }}
      >
        <Icon name="people" />
        {t("switchUser")}
      </button>
      <p class="hint settings-version">
        鸿雁 Hongyan · {t("version", { version: about.value?.version ?? "?" })}
      </p>
    </Modal>
  );
}
