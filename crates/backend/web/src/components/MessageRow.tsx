import { useRef } from "preact/hooks";
import type { Bubble } from "../bubbles.ts";
import { fullTime, longTime } from "../format.ts";
import { t } from "../i18n.ts";
import { lang } from "../prefs.ts";
import { discard, retry } from "../sending.ts";
import { me } from "../store.ts";
import { menu } from "../ui.ts";
import { Avatar } from "./Avatar.tsx";
import { Icon } from "./icons.tsx";
import { ItemView } from "./items.tsx";
import { QuoteBox } from "./QuoteBox.tsx";
import { TickMark } from "./TickMark.tsx";
import { useLongPress } from "./useLongPress.ts";

interface Props {
  bot: string;
  name: string;
  bubble: Bubble;
  /** The whole chat: the viewer leafs through its pictures. */
  all: readonly Bubble[];
}

export function MessageRow({ bot, name, bubble, all }: Props) {
  const body = useRef<HTMLDivElement>(null);
  const { from, tick, items, quote } = bubble;
  const mine = from === "me";
  const toolsOnly = items.length > 0 && items.every((item) => item.type === "tool");

  function openMenu(x: number, y: number): void {
    menu.value = { bot, bubble, selection: selectionIn(body.current), x, y };
  }
  const longPress = useLongPress(openMenu);

  return (
    <>
      {bubble.separated && <TimeMark at={bubble.at} />}
      <div
        class={`row ${mine ? "row-me" : "row-bot"}${bubble.leads ? " row-leads" : ""}`}
        data-testid="message"
        data-from={from}
        data-id={bubble.id ?? ""}
        data-local-id={bubble.localId ?? ""}
      >
        {bubble.leads && !mine && <Avatar id={bot} name={name} />}
        {bubble.leads && mine && <Avatar id={me.value?.id ?? ""} name={me.value?.name ?? ""} />}
        <div
          class="row-body"
          ref={body}
          title={fullTime(bubble.at, lang.value)}
          onContextMenu={(event) => {
            if (toolsOnly) return;
            event.preventDefault();
            openMenu(event.clientX, event.clientY);
          }}
          {...(toolsOnly ? {} : longPress)}
        >
          <span class="visually-hidden">{mine ? t("you") : name}:</span>
          {items.map((item, index) => (
            <ItemView key={index} item={item} bubble={bubble} all={all} />
          ))}
          {quote !== null && <QuoteBox quote={quote} name={name} />}
          {tick === "failed" && bubble.localId !== null && <Failure localId={bubble.localId} reason={bubble.reason} />}
        </div>
        <div class="row-side">
          {tick !== null && <TickMark tick={tick} onRetry={() => bubble.localId !== null && retry(bubble.localId)} />}
          {!toolsOnly && (
            <button
              type="button"
              class="icon-button row-more"
              aria-label={t("menu")}
              aria-haspopup="menu"
              onClick={(event) => {
                const box = event.currentTarget.getBoundingClientRect();
                openMenu(box.left, box.bottom);
              }}
            >
              <Icon name="more" />
            </button>
          )}
        </div>
      </div>
    </>
  );
}

function TimeMark({ at }: { at: number }) {
  return (
    <div class="time-mark">
      <time dateTime={new Date(at).toISOString()}>{longTime(at, Date.now(), lang.value, t("yesterday"))}</time>
    </div>
  );
}

function Failure({ localId, reason }: { localId: string; reason: string | null }) {
  return (
    <p class="failure">
      {reason}
      <button type="button" class="link-button" onClick={() => retry(localId)}>
        {t("retry")}
      </button>
      <button type="button" class="link-button" onClick={() => discard(localId)}>
        {t("discard")}
      </button>
    </p>
  );
}

/** The selected text, if the selection lies within the element. */
function selectionIn(element: HTMLElement | null): string | null {
  const selection = window.getSelection();
  if (element === null || selection === null || selection.isCollapsed) return null;
  if (!element.contains(selection.anchorNode) || !element.contains(selection.focusNode)) return null;
  const text = selection.toString().trim();
  return text === "" ? null : text;
}
