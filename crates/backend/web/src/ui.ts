// Which layers lie over the page.

import { signal } from "@preact/signals";
import type { Bubble } from "./bubbles.ts";
import type { ImageItem, VideoItem } from "./wire.ts";

export interface MenuTarget {
  bot: string;
  bubble: Bubble;
  /** What of the bubble's text was selected when the menu was opened. */
  selection: string | null;
  x: number;
  y: number;
}

export const menu = signal<MenuTarget | null>(null);

export interface Viewing {
  /** The pictures and videos of the chat, in order. */
  media: readonly (ImageItem | VideoItem)[];
  index: number;
}

export const viewing = signal<Viewing | null>(null);

/** The message whose text is being selected in. */
export const selecting = signal<{ bot: string; bubble: Bubble } | null>(null);

export const scanOpen = signal(false);
export const settingsOpen = signal(false);
