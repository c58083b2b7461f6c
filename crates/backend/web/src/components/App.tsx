import { connection } from "../events.ts";
import { t } from "../i18n.ts";
import { loginSheet } from "../login.ts";
import { boot, phase } from "../session.ts";
import { announcement, toast } from "../toast.ts";
import { menu, scanOpen, selecting, settingsOpen, viewing } from "../ui.ts";
import { Goose } from "./icons.tsx";
import { LoginDialog } from "./LoginDialog.tsx";
import { MessageMenu } from "./MessageMenu.tsx";
import { Phone } from "./Phone.tsx";
import { ScanDialog } from "./ScanDialog.tsx";
import { SelectDialog } from "./SelectDialog.tsx";
import { SettingsDialog } from "./SettingsDialog.tsx";
import { UserPicker } from "./UserPicker.tsx";
import { Viewer } from "./Viewer.tsx";

export function App() {
  return (
    <>
      <Stage />
      {menu.value !== null && <MessageMenu target={menu.value} />}
      {viewing.value !== null && <Viewer viewing={viewing.value} />}
      {selecting.value !== null && <SelectDialog {...selecting.value} />}
      {settingsOpen.value && <SettingsDialog />}
      {scanOpen.value && <ScanDialog />}
      {loginSheet.value !== null && <LoginDialog sheet={loginSheet.value} />}
      <div class="toast" role="status" data-shown={toast.value !== null}>
        {toast.value}
      </div>
      <div class="visually-hidden" aria-live="polite">
        {announcement.value}
      </div>
    </>
  );
}

function Stage() {
  switch (phase.value) {
    case "starting":
      return (
        <div class="splash">
          <Goose />
          <span class="visually-hidden">{t("loading")}</span>
        </div>
      );
    case "unreachable":
      return (
        <div class="splash">
          <Goose />
          <p>{t("cannotReach")}</p>
          <button type="button" class="button" onClick={() => void boot()}>
            {t("retry")}
          </button>
        </div>
      );
    case "choosing":
      return <UserPicker />;
    case "in":
      return (
        <>
          {connection.value === "down" && (
            <div class="banner" role="alert" data-testid="banner">
              <span class="spinner" /> {t("disconnected")}
            </div>
          )}
          <Phone />
        </>
      );
  }
}
