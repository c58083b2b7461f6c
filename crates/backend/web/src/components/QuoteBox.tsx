import { t } from "../i18n.ts";
import { mediaLabel } from "../summary.ts";
import type { Quote } from "../wire.ts";

const FLASH_MS = 1400;

/** What a message answers to, under its bubble. A click leads there. */
export function QuoteBox({ quote, name }: { quote: Quote; name: string }) {
  return (
    <button type="button" class="quote-box" onClick={() => quote.message_id !== null && reveal(quote.message_id)}>
      <QuoteLine quote={quote} name={name} />
    </button>
  );
}

export function QuoteLine({ quote, name }: { quote: Quote; name: string }) {
  const label = quote.kind === "text" ? "" : `${mediaLabel(quote.kind)} `;
  return (
    <span class="quote-line">
      {quote.from !== null && <b>{quote.from === "me" ? t("you") : name}: </b>}
      {label}
      {quote.text}
    </span>
  );
}

function reveal(id: string): void {
  const row = document.querySelector(`[data-testid="message"][data-id="${CSS.escape(id)}"]`);
  if (row === null) return;
  row.scrollIntoView({ block: "center", behavior: "smooth" });
  row.classList.add("row-flash");
  window.setTimeout(() => row.classList.remove("row-flash"), FLASH_MS);
}
