import { t } from "../i18n.ts";
import { closeLogin, confirm, type LoginSheet } from "../login.ts";
import { openChat } from "../session.ts";
import { me } from "../store.ts";
import type { Login } from "../wire.ts";
import { Goose, Icon } from "./icons.tsx";
import { Modal } from "./Modal.tsx";

/** What follows a scan: the question, perhaps digits, and the outcome. */
export function LoginDialog({ sheet: { login, busy, problem } }: { sheet: LoginSheet }) {
  return (
    <Modal label={t("scanTitle")} onClose={closeLogin}>
      <div class="login" data-testid="login" data-status={login?.status ?? ""}>
        {login === null ? busy && <span class="spinner spinner-large" /> : <Step login={login} busy={busy} />}
        {problem !== null && (
          <p class="problem" role="alert" data-testid="login-problem">
            <Icon name="alert" />
            {problem}
          </p>
        )}
        {login === null && problem !== null && (
          <button type="button" class="button button-wide" autofocus onClick={closeLogin}>
            {t("close")}
          </button>
        )}
      </div>
    </Modal>
  );
}

function Step({ login, busy }: { login: Login; busy: boolean }) {
  switch (login.status) {
    case "scanned":
      return (
        <>
          <Goose />
          <h2>{t("connectAsk")}</h2>
          <p class="login-who">{t("connectAs", { name: me.value?.name ?? "" })}</p>
          <p class="hint">{t(login.already_bound ? "connectAgainHint" : "connectHint")}</p>
          <div class="sheet-actions">
            <button type="button" class="button" data-testid="login-cancel" onClick={closeLogin}>
              {t("cancel")}
            </button>
            <button
              type="button"
              class="button button-main"
              data-testid="login-confirm"
              autofocus
              disabled={busy}
              onClick={confirm}
            >
              {t("connect")}
            </button>
          </div>
        </>
      );
    case "verify":
      return (
        <>
          <h2>{t("verifyTitle")}</h2>
          <output class="digits" data-testid="login-verify-code" aria-label={[...(login.verify_code ?? "")].join(" ")}>
            {login.verify_code}
          </output>
          {login.verify_wrong > 0 && (
            <p class="problem" role="alert">
              {t("verifyWrong", { count: login.verify_wrong })}
            </p>
          )}
          <p class="hint">
            <span class="spinner" /> {t("verifyWaiting")}
          </p>
        </>
      );
    case "confirmed":
      return <Connected bot={login.bot} already={login.already_bound} />;
    case "expired":
    case "cancelled":
      return (
        <>
          <span class="login-mark login-mark-bad">
            <Icon name="close" />
          </span>
          <h2>{t(login.status === "expired" ? "loginExpired" : "loginCancelled")}</h2>
          <button type="button" class="button button-wide" onClick={closeLogin}>
            {t("close")}
          </button>
        </>
      );
  }
}

function Connected({ bot, already }: { bot: string | null; already: boolean }) {
  return (
    <>
      <span class="login-mark">
        <Icon name="check" />
      </span>
      <h2>{t(already ? "alreadyConnected" : "connected")}</h2>
      <button
        type="button"
        class="button button-main button-wide"
        data-testid="login-done"
        autofocus
        onClick={() => {
          closeLogin();
          if (bot !== null) openChat(bot);
        }}
      >
        {t(bot === null ? "close" : "openChat")}
      </button>
    </>
  );
}
