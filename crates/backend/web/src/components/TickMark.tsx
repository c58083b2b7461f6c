import type { Tick } from "../bubbles.ts";
import { t } from "../i18n.ts";
import { Icon, type IconName } from "./icons.tsx";

const ICONS: Record<Tick, IconName> = { pending: "clock", sent: "tick", delivered: "ticks", failed: "alert" };

export function TickMark({ tick, onRetry }: { tick: Tick; onRetry: () => void }) {
  const label = t(tick);
  if (tick === "failed") {
    return (
      <button
        type="button"
        class="tick tick-failed"
        data-testid="tick"
        data-state={tick}
        aria-label={label}
        title={label}
        onClick={onRetry}
      >
        <Icon name="alert" />
      </button>
    );
  }
  return (
    <span class={`tick tick-${tick}`} data-testid="tick" data-state={tick} role="img" aria-label={label} title={label}>
      <Icon name={ICONS[tick]} />
    </span>
  );
}
