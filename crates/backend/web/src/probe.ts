// What can be learnt about a medium before it is uploaded. Best effort: whatever the browser can't tell is null.

import type { MediaKind } from "./wire.ts";

export interface Probe {
  width: number | null;
  height: number | null;
  durationMs: number | null;
}

export const UNKNOWN_PROBE: Probe = { width: null, height: null, durationMs: null };

/** A browser that can't read a file may never say so. */
const PATIENCE_MS = 4000;

/** The picture formats that every browser and WeChat show; others travel as files. */
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"]);

/** How WeChat would send this file if it were chosen as a picture or dropped into the chat. */
export function kindOf(file: Blob): MediaKind {
  if (PICTURES.has(file.type)) return "image";
  return file.type.startsWith("video/") ? "video" : "file";
}

export function probe(kind: MediaKind, blob: Blob): Promise<Probe> {
  switch (kind) {
    case "image":
      return probeImage(blob);
    case "video":
    case "voice":
      return probeTimed(kind === "video" ? document.createElement("video") : new Audio(), blob);
    case "file":
      return Promise.resolve(UNKNOWN_PROBE);
  }
}

async function probeImage(blob: Blob): Promise<Probe> {
  try {
    const bitmap = await createImageBitmap(blob);
    const { width, height } = bitmap;
    bitmap.close();
    return { width, height, durationMs: null };
  } catch {
    return UNKNOWN_PROBE;
  }
}

function probeTimed(element: HTMLVideoElement | HTMLAudioElement, blob: Blob): Promise<Probe> {
  const url = URL.createObjectURL(blob);
  const result = new Promise<Probe>((resolve) => {
    window.setTimeout(() => resolve(UNKNOWN_PROBE), PATIENCE_MS);
    element.onerror = () => resolve(UNKNOWN_PROBE);
    element.onloadedmetadata = () => {
      const size = element instanceof HTMLVideoElement ? element : { videoWidth: 0, videoHeight: 0 };
      resolve({
        width: size.videoWidth || null,
        height: size.videoHeight || null,
        durationMs: Number.isFinite(element.duration) ? Math.round(element.duration * 1000) : null,
      });
    };
  });
  element.preload = "metadata";
  element.src = url;
  return result.finally(() => {
    element.removeAttribute("src");
    URL.revokeObjectURL(url);
  });
}
