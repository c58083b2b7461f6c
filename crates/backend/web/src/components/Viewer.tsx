import { useEffect } from "preact/hooks";
import { downloadUrl } from "../api.ts";
import { t } from "../i18n.ts";
import { viewing, type Viewing } from "../ui.ts";
import { Icon } from "./icons.tsx";
import { Modal } from "./Modal.tsx";
import { Zoomable } from "./Zoomable.tsx";

/** One picture or video over the whole screen; the arrow keys lead to the chat's others. */
export function Viewer({ viewing: { media, index } }: { viewing: Viewing }) {
  const close = () => (viewing.value = null);
  const go = (step: number) => {
    if (media[index + step] !== undefined) viewing.value = { media, index: index + step };
  };

  useEffect(() => {
    function onKey(event: KeyboardEvent): void {
      if (event.target instanceof HTMLVideoElement) return;
      if (event.key === "ArrowLeft") go(-1);
      if (event.key === "ArrowRight") go(1);
    }
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [media, index]);

  const item = media[index];
  if (item === undefined) return null;
  const stored = !item.url.startsWith("blob:");

  return (
    <Modal label={t(item.type)} onClose={close} full>
      <div class="viewer" data-testid="viewer">
        {item.type === "image" ? (
          <Zoomable key={item.url} url={item.url} onTap={close} />
        ) : (
          <video
            key={item.url}
            class="viewer-video"
            src={item.url}
            controls
            autoplay
            playsInline
            {...(item.thumb_url === null ? {} : { poster: item.thumb_url })}
          />
        )}
        {index > 0 && (
          <button type="button" class="icon-button viewer-previous" aria-label={t("previous")} onClick={() => go(-1)}>
            <Icon name="left" />
          </button>
        )}
        {index < media.length - 1 && (
          <button type="button" class="icon-button viewer-next" aria-label={t("next")} onClick={() => go(1)}>
            <Icon name="right" />
          </button>
        )}
        {stored && (
          <a class="icon-button viewer-download" href={downloadUrl(item.url)} download aria-label={t("download")}>
            <Icon name="download" />
          </a>
        )}
      </div>
    </Modal>
  );
}
