// Short notices at the edge of the screen, and what screen readers are told.

import { signal } from "@preact/signals";

const SHOWN_MS = 3500;

export const toast = signal<string | null>(null);

let timer: number | undefined;

export function showToast(text: string): void {
  toast.value = text;
  window.clearTimeout(timer);
  timer = window.setTimeout(() => {
    toast.value = null;
  }, SHOWN_MS);
}

/** Read aloud, not shown. */
export const announcement = signal("");

export function announce(text: string): void {
  announcement.value = text;
}
