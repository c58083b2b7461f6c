import { useSignal } from "@preact/signals";
import { t } from "../i18n.ts";
import { startLogin } from "../login.ts";
import { readQr } from "../qr.ts";
import { scanOpen } from "../ui.ts";
import { Icon, type IconName } from "./icons.tsx";
import { Modal } from "./Modal.tsx";

/** Takes a QR code as a link or as a picture. */
export function ScanDialog() {
  const link = useSignal("");
  const reading = useSignal(false);
  const problem = useSignal<string | null>(null);
  const close = () => (scanOpen.value = false);

  function scan(found: string): void {
    close();
    startLogin(found);
  }

  async function read(picture: File): Promise<void> {
    reading.value = true;
    problem.value = null;
    try {
      const found = await readQr(picture);
      if (!scanOpen.value) return;
      if (found === null) problem.value = t("noQr");
      else scan(found);
    } catch {
      problem.value = t("brokenImage");
    } finally {
      reading.value = false;
    }
  }

  return (
    <Modal label={t("scanTitle")} onClose={close}>
      <h2>{t("scanTitle")}</h2>
      <p class="hint">{t("scanHint")}</p>
      <form
        class="scan-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (link.value.trim() !== "") scan(link.value.trim());
        }}
      >
        <input
          class="field"
          data-testid="scan-link"
          aria-label={t("scanLink")}
          placeholder="https://…/q/…"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          autofocus
          value={link.value}
          onInput={(event) => (link.value = event.currentTarget.value)}
          onPaste={(event) => {
            const picture = event.clipboardData?.files[0];
            if (picture === undefined) return;
            event.preventDefault();
            void read(picture);
          }}
        />
        <button class="button button-main" data-testid="scan-submit" disabled={link.value.trim() === ""}>
          {t("scanGo")}
        </button>
      </form>
      <div class="scan-pictures">
        {matchMedia("(pointer: coarse)").matches && (
          <PictureButton icon="camera" label={t("takePicture")} testId="scan-camera" capture onPicture={read} />
        )}
        <PictureButton icon="image" label={t("choosePicture")} testId="scan-picture" onPicture={read} />
      </div>
      <p class={problem.value === null ? "hint" : "problem"} role="status">
        {reading.value ? t("reading") : problem.value}
      </p>
    </Modal>
  );
}

interface PictureButtonProps {
  icon: IconName;
  label: string;
  testId: string;
  /** Straight to the camera. */
  capture?: boolean;
  onPicture: (picture: File) => Promise<void>;
}

function PictureButton({ icon, label, testId, capture = false, onPicture }: PictureButtonProps) {
  return (
    <label class="button scan-picture">
      <Icon name={icon} />
      {label}
      <input
        type="file"
        class="hidden-input"
        accept="image/*"
        data-testid={testId}
        {...(capture ? { capture: "environment" as const } : {})}
        onChange={(event) => {
          const picture = event.currentTarget.files?.[0];
          if (picture !== undefined) void onPicture(picture);
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}
