import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n.ts";
import { Icon } from "./icons.tsx";

const MOST = 8;
const STEP = 1.6;
const TAP_PX = 6;

interface Point {
  x: number;
  y: number;
}

/** A picture that can be zoomed (wheel, pinch, double tap, buttons, + and −) and moved. */
export function Zoomable({ url, onTap }: { url: string; onTap: () => void }) {
  const frame = useRef<HTMLDivElement>(null);
  const view = useSignal({ scale: 1, x: 0, y: 0 });
  const pointers = useRef(new Map<number, Point>());
  const travelled = useRef(0);

  /** Zooms by a factor; the given point of the screen stays where it is. */
  function zoom(factor: number, at?: Point): void {
    const box = frame.current?.getBoundingClientRect();
    if (box === undefined) return;
    const { scale, x, y } = view.value;
    const next = Math.max(1, Math.min(MOST, scale * factor));
    if (next === 1) {
      view.value = { scale: 1, x: 0, y: 0 };
      return;
    }
    const px = at === undefined ? 0 : at.x - box.left - box.width / 2;
    const py = at === undefined ? 0 : at.y - box.top - box.height / 2;
    const ratio = next / scale;
    view.value = { scale: next, x: px - (px - x) * ratio, y: py - (py - y) * ratio };
  }

  useEffect(() => {
    const box = frame.current;
    function onWheel(event: WheelEvent): void {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * 0.0022), { x: event.clientX, y: event.clientY });
    }
    function onKey(event: KeyboardEvent): void {
      if (event.key === "+" || event.key === "=") zoom(STEP);
      if (event.key === "-") zoom(1 / STEP);
    }
    // Not an attribute: the browser would treat it as passive, and zoom the page as well.
    box?.addEventListener("wheel", onWheel, { passive: false });
    window.addEventListener("keydown", onKey);
    return () => {
      box?.removeEventListener("wheel", onWheel);
      window.removeEventListener("keydown", onKey);
    };
  }, []);

  function onPointerDown(event: PointerEvent & { currentTarget: HTMLElement }): void {
    event.currentTarget.setPointerCapture(event.pointerId);
    if (pointers.current.size === 0) travelled.current = 0;
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  function onPointerMove(event: PointerEvent): void {
    const before = pointers.current.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.clientX, y: event.clientY };
    travelled.current += Math.hypot(now.x - before.x, now.y - before.y);
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    if (other !== undefined) {
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      zoom(distance(now, other) / Math.max(1, distance(before, other)), middle);
    } else if (view.value.scale > 1) {
      view.value = { ...view.value, x: view.value.x + now.x - before.x, y: view.value.y + now.y - before.y };
    }
    pointers.current.set(event.pointerId, now);
  }

  function onPointerEnd(event: PointerEvent): void {
    pointers.current.delete(event.pointerId);
  }

  const { scale, x, y } = view.value;
  return (
    <>
      <div
        class="zoomable"
        ref={frame}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerEnd}
        onPointerCancel={onPointerEnd}
        onDblClick={(event) => zoom(scale > 1 ? 1 / MOST : 2.5, { x: event.clientX, y: event.clientY })}
        onClick={(event) => {
          if (!hitsImage(event) && scale === 1 && travelled.current < TAP_PX) onTap();
        }}
      >
        <img
          src={url}
          alt={t("image")}
          draggable={false}
          data-testid="viewer-image"
          style={{ transform: `translate(${x}px, ${y}px) scale(${scale})` }}
        />
      </div>
      <div class="viewer-zoom">
        <button type="button" class="icon-button" aria-label={t("zoomOut")} onClick={() => zoom(1 / STEP)}>
          <Icon name="minus" />
        </button>
        <button type="button" class="icon-button" aria-label={t("zoomIn")} onClick={() => zoom(STEP)}>
          <Icon name="plus" />
        </button>
      </div>
    </>
  );
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** With the pointer captured by the frame, the frame is the target of every click. */
function hitsImage(event: MouseEvent): boolean {
  return document.elementFromPoint(event.clientX, event.clientY) instanceof HTMLImageElement;
}
