// Messages in one line: for the contact list, quotes and screen readers.

import { withoutMarks } from "./format.ts";
import { t } from "./i18n.ts";
import type { Item, MediaKind } from "./wire.ts";

export function mediaLabel(kind: MediaKind): string {
  return `[${t(kind)}]`;
}

/** One item in a few words; "" for tool progress, which is not part of what was said. */
function summaryOfItem(item: Item): string {
  switch (item.type) {
    case "text":
      return item.html === null ? item.text : withoutMarks(item.text);
    case "file":
      return `${mediaLabel("file")} ${item.name}`;
    case "voice":
      return item.text === null ? mediaLabel("voice") : `${mediaLabel("voice")} ${item.text}`;
    case "image":
    case "video":
      return mediaLabel(item.type);
    case "tool":
      return "";
    // Also for what a newer backend may send.
    default:
      return `[${t("unsupported")}]`;
  }
}

export function summaryOf(items: readonly Item[]): string {
  return items
    .map(summaryOfItem)
    .filter((line) => line !== "")
    .join(" ");
}
