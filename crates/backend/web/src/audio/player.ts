// One player for all voice messages, so that never two speak at once.

import { signal } from "@preact/signals";

export interface Playback {
  url: string;
  state: "playing" | "paused" | "broken";
  /** 0 to 1. */
  progress: number;
}

export const playback = signal<Playback | null>(null);

const audio = new Audio();

function change(next: Partial<Playback>): void {
  if (playback.value !== null) playback.value = { ...playback.value, ...next };
}

audio.ontimeupdate = () => {
  if (audio.duration > 0) change({ progress: audio.currentTime / audio.duration });
};
audio.onplay = () => change({ state: "playing" });
audio.onpause = () => change({ state: "paused" });
audio.onended = () => change({ state: "paused", progress: 0 });
audio.onerror = () => change({ state: "broken" });

export function toggle(url: string): void {
  if (playback.value?.url === url && playback.value.state === "playing") {
    audio.pause();
    return;
  }
  if (playback.value?.url !== url) {
    audio.src = url;
    playback.value = { url, state: "playing", progress: 0 };
  }
  // A refusal to play is told by the error event as well.
  audio.play().catch(() => undefined);
}
