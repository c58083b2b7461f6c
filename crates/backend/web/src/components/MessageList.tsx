import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { bubblesOf, type Bubble } from "../bubbles.ts";
import { connection } from "../events.ts";
import { t } from "../i18n.ts";
import { outbox } from "../outbox.ts";
import { chatOf, loadOlder } from "../store.ts";
import { Icon } from "./icons.tsx";
import { MessageRow } from "./MessageRow.tsx";

/** Nearer to the end than this, the list follows new messages. */
const NEAR_END_PX = 80;

/** Older messages are fetched before the top is reached. */
const AHEAD = "400px 0px 0px 0px";

interface Props {
  bot: string;
  name: string;
  typing: boolean;
}

export function MessageList({ bot, name, typing }: Props) {
  const chat = chatOf(bot).value;
  const bubbles = bubblesOf(
    chat,
    outbox.value.filter((outgoing) => outgoing.bot === bot),
  );
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const top = useRef<HTMLDivElement>(null);
  const { unseen, atEnd, onScroll, toEnd } = useFollowing(scroller, content, bubbles);

  useEffect(() => {
    const sentinel = top.current;
    if (sentinel === null || !chat.more) return undefined;
    const observer = new IntersectionObserver(
      ([entry]) => {
        // A failure shows in the banner; the observer is set up anew when the connection is back.
        if (entry?.isIntersecting === true) loadOlder(bot).catch(() => undefined);
      },
      { root: scroller.current, rootMargin: AHEAD },
    );
    observer.observe(sentinel);
    return () => observer.disconnect();
  }, [bot, chat.more, chat.messages[0]?.id, connection.value]);

  return (
    <div class="messages-frame">
      <div
        class="messages"
        ref={scroller}
        onScroll={onScroll}
        role="log"
        aria-live="off"
        aria-label={t("messages")}
        aria-busy={!chat.loaded}
        tabIndex={0}
      >
        <div class="messages-content" ref={content}>
          <div class="messages-top" ref={top}>
            {chat.more ? (
              <span class="spinner" />
            ) : (
              chat.loaded && <span>{bubbles.length > 0 ? t("startOfChat") : t("nothingYet", { name })}</span>
            )}
          </div>
          {bubbles.map((bubble) => (
            <MessageRow key={bubble.key} bot={bot} name={name} bubble={bubble} all={bubbles} />
          ))}
          {typing && (
            <div class="row row-bot row-typing" aria-hidden="true">
              <span class="bubble typing-dots">
                <i />
                <i />
                <i />
              </span>
            </div>
          )}
        </div>
      </div>
      {!atEnd && (
        <button type="button" class="pill" data-testid="new-messages" onClick={toEnd}>
          <Icon name="down" />
          {unseen > 0 ? `${t("newMessages")} · ${unseen}` : <span class="visually-hidden">{t("toLatest")}</span>}
        </button>
      )}
    </div>
  );
}

/** Keeps the end in sight while the person is there, and what they read in place while they are not. */
function useFollowing(
  scroller: { readonly current: HTMLDivElement | null },
  content: { readonly current: HTMLDivElement | null },
  bubbles: readonly Bubble[],
) {
  const unseen = useSignal(0);
  const atEnd = useSignal(true);
  const before = useRef<{ first: string | undefined; count: number; height: number }>({
    first: undefined,
    count: 0,
    height: 0,
  });

  function toEnd(): void {
    const box = scroller.current;
    if (box !== null) box.scrollTop = box.scrollHeight;
    atEnd.value = true;
    unseen.value = 0;
  }

  function onScroll(): void {
    const box = scroller.current;
    if (box === null) return;
    before.current.height = box.scrollHeight;
    atEnd.value = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
    if (atEnd.value) unseen.value = 0;
  }

  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const { first, count, height } = before.current;
    const firstAt = first === undefined ? -1 : bubbles.findIndex((bubble) => bubble.key === first);
    const added = bubbles.length - count - Math.max(0, firstAt);
    // Older messages came in above: what was in sight moves down by as much as the list has grown.
    if (firstAt > 0) box.scrollTop += box.scrollHeight - height;
    const mine = added > 0 && bubbles.at(-1)?.from === "me";
    if (atEnd.value || mine || firstAt < 0) toEnd();
    else if (added > 0) unseen.value += added;
    before.current = { first: bubbles[0]?.key, count: bubbles.length, height: box.scrollHeight };
  }, [bubbles[0]?.key, bubbles.length, bubbles.at(-1)?.key]);

  useEffect(() => {
    // Pictures that load, texts that are replaced, and a keyboard that opens all change the heights.
    const observer = new ResizeObserver(() => {
      if (atEnd.value) toEnd();
      if (scroller.current !== null) before.current.height = scroller.current.scrollHeight;
    });
    if (scroller.current !== null) observer.observe(scroller.current);
    if (content.current !== null) observer.observe(content.current);
    return () => observer.disconnect();
  }, []);

  return { unseen: unseen.value, atEnd: atEnd.value, onScroll, toEnd };
}
