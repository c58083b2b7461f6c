// What a message answers to. Pure.

import type { Bubble } from "./bubbles.ts";
import type { Quoting } from "./sending.ts";
import type { Item, Quote } from "./wire.ts";

/** The bubble as something to be quoted, or only a part of its text; null if it can't be quoted (yet). */
export function quotingOf(bubble: Bubble, selection: string | null): Quoting | null {
  if (bubble.id === null) return null;
  const quoted = bubble.items.map(quotedItem).find((content) => content !== null);
  if (quoted === undefined || quoted === null) return null;
  const part = quoted.kind === "text" && selection !== null && selection !== quoted.text ? selection : null;
  const quote = { message_id: bubble.id, from: bubble.from, kind: quoted.kind, text: part ?? quoted.text };
  return { quote, part };
}

function quotedItem(item: Item): Pick<Quote, "kind" | "text"> | null {
  switch (item.type) {
    case "text":
      return { kind: "text", text: item.text };
    case "file":
      return { kind: "file", text: item.name };
    case "voice":
      return { kind: "voice", text: item.text ?? "" };
    case "image":
    case "video":
      return { kind: item.type, text: "" };
    default:
      return null;
  }
}
