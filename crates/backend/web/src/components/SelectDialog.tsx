import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Bubble } from "../bubbles.ts";
import { copy } from "../clipboard.ts";
import { setQuoting } from "../compose.ts";
import { t } from "../i18n.ts";
import { quotingOf } from "../quoting.ts";
import { selecting } from "../ui.ts";
import { Icon } from "./icons.tsx";
import { Modal } from "./Modal.tsx";

/** A message's text alone: on a touch screen, a long press on the bubble opens the menu instead of selecting. */
export function SelectDialog({ bot, bubble }: { bot: string; bubble: Bubble }) {
  const text = bubble.items.map((item) => (item.type === "text" || item.type === "voice" ? item.text ?? "" : "")).join("\n");
  const area = useRef<HTMLDivElement>(null);
  const selected = useSignal("");
  const close = () => (selecting.value = null);

  useEffect(() => {
    function onSelect(): void {
      const selection = document.getSelection();
      const inside = selection !== null && area.current?.contains(selection.anchorNode) === true;
      // Tapping a button may collapse the selection: what was selected last counts.
      if (inside && !selection.isCollapsed) selected.value = selection.toString().trim();
    }
    document.addEventListener("selectionchange", onSelect);
    return () => document.removeEventListener("selectionchange", onSelect);
  }, []);

  const quoting = quotingOf(bubble, selected.value === "" ? null : selected.value);

  return (
    <Modal label={t("selectText")} onClose={close}>
      <h2>{t("selectText")}</h2>
      <p class="hint">{t("selectHint")}</p>
      <div class="select-text" ref={area} tabIndex={0}>
        {text}
      </div>
      <div class="sheet-actions">
        <button
          type="button"
          class="button"
          onClick={() => {
            void copy(selected.value || text);
            close();
          }}
        >
          <Icon name="copy" />
          {t("copy")}
        </button>
        {quoting !== null && (
          <button
            type="button"
            class="button button-main"
            data-testid="select-quote"
            onClick={() => {
              setQuoting(bot, quoting);
              close();
            }}
          >
            <Icon name="quote" />
            {t(quoting.part === null ? "quote" : "quoteSelection")}
          </button>
        )}
      </div>
    </Modal>
  );
}
