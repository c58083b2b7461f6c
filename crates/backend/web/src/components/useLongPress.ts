import { useRef } from "preact/hooks";

const HOLD_MS = 450;
const SLACK_PX = 10;

/** Handlers that call `onHold` when a finger rests on the element. A mouse has its right button for that. */
export function useLongPress(onHold: (x: number, y: number) => void) {
  const press = useRef<{ timer: number; x: number; y: number } | null>(null);
  const held = useRef(false);

  function end(): void {
    if (press.current !== null) window.clearTimeout(press.current.timer);
    press.current = null;
  }

  return {
    onPointerDown(event: PointerEvent): void {
      held.current = false;
      if (event.pointerType === "mouse") return;
      const { clientX: x, clientY: y } = event;
      const timer = window.setTimeout(() => {
        held.current = true;
        end();
        onHold(x, y);
      }, HOLD_MS);
      press.current = { timer, x, y };
    },
    onPointerMove(event: PointerEvent): void {
      const start = press.current;
      if (start !== null && Math.hypot(event.clientX - start.x, event.clientY - start.y) > SLACK_PX) end();
    },
    onPointerUp: end,
    onPointerCancel: end,
    onClickCapture(event: MouseEvent): void {
      // Lifting the finger after a long press is not a tap on what lies beneath.
      if (!held.current) return;
      held.current = false;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}
