import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../i18n.ts";
import { Icon } from "./icons.tsx";

interface Props {
  label: string;
  /** Called for Esc, a tap beside the dialog, and the close button. */
  onClose: () => void;
  /** Fills the screen instead of being a sheet. */
  full?: boolean;
  children: ComponentChildren;
}

/** A modal dialog: the browser keeps the focus inside, and gives it back afterwards. */
export function Modal({ label, onClose, full = false, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const close = useRef(onClose);
  close.current = onClose;

  useLayoutEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return undefined;
    const closed = () => close.current();
    dialog.addEventListener("close", closed);
    dialog.showModal();
    return () => {
      dialog.removeEventListener("close", closed);
      dialog.close();
    };
  }, []);

  return (
    <dialog
      ref={ref}
      class={full ? "modal modal-full" : "modal"}
      aria-label={label}
      autofocus={full}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div class="modal-body">{children}</div>
      <button type="button" class="icon-button modal-close" aria-label={t("close")} onClick={onClose}>
        <Icon name="close" />
      </button>
    </dialog>
  );
}
