import { useLayoutEffect, useRef } from "preact/hooks";
import type { Bubble } from "../bubbles.ts";
import { copy } from "../clipboard.ts";
import { setQuoting } from "../compose.ts";
import { t } from "../i18n.ts";
import { quotingOf } from "../quoting.ts";
import { menu, selecting, type MenuTarget } from "../ui.ts";
import { Icon } from "./icons.tsx";

const EDGE_PX = 8;

export function MessageMenu({ target }: { target: MenuTarget }) {
  const { bot, bubble, selection } = target;
  const box = useRef<HTMLDivElement>(null);
  const text = textOf(bubble);
  const quoting = quotingOf(bubble, selection);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const previous = document.activeElement;
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${clamp(target.x, window.innerWidth - width)}px`;
    element.style.top = `${clamp(target.y, window.innerHeight - height)}px`;
    element.querySelector("button")?.focus();
    return () => {
      if (previous instanceof HTMLElement) previous.focus({ preventScroll: true });
    };
  }, [target]);

  function run(action: () => void): void {
    menu.value = null;
    action();
  }

  function onKeyDown(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      menu.value = null;
    } else if (step !== undefined) {
      event.preventDefault();
      const buttons = [...(box.current?.querySelectorAll("button") ?? [])];
      const at = buttons.findIndex((button) => button === document.activeElement);
      buttons.at((at + step) % buttons.length)?.focus();
    }
  }

  return (
    <div
      class="menu-backdrop"
      onPointerDown={(event) => {
        if (event.target === event.currentTarget) menu.value = null;
      }}
      onContextMenu={(event) => event.preventDefault()}
    >
      <div class="menu" role="menu" aria-label={t("menu")} ref={box} onKeyDown={onKeyDown}>
        {quoting !== null && (
          <button type="button" role="menuitem" data-testid="menu-quote" onClick={() => run(() => setQuoting(bot, quoting))}>
            <Icon name="quote" />
            {t(quoting.part === null ? "quote" : "quoteSelection")}
          </button>
        )}
        {text !== "" && (
          <button type="button" role="menuitem" data-testid="menu-copy" onClick={() => run(() => void copy(selection ?? text))}>
            <Icon name="copy" />
            {t("copy")}
          </button>
        )}
        {text !== "" && selection === null && (
          <button
            type="button"
            role="menuitem"
            data-testid="menu-select"
            onClick={() => run(() => (selecting.value = { bot, bubble }))}
          >
            <Icon name="text" />
            {t("selectText")}
          </button>
        )}
        {quoting === null && text === "" && <p class="hint">{t("pending")}</p>}
      </div>
    </div>
  );
}

function clamp(wanted: number, most: number): number {
  return Math.max(EDGE_PX, Math.min(wanted, most - EDGE_PX));
}

function textOf(bubble: Bubble): string {
  return bubble.items
    .flatMap((item) => (item.type === "text" ? [item.text] : item.type === "voice" && item.text !== null ? [item.text] : []))
    .join("\n");
}
