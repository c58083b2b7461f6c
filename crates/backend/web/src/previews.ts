// Pictures and videos that were sent from this tab are shown from memory, also after the backend has them: that spares
// a download, and the bubble does not flicker.

const previews = new Map<string, string>();

export function keepPreview(localId: string, blob: Blob): string {
  const kept = previews.get(localId);
  if (kept !== undefined) return kept;
  const url = URL.createObjectURL(blob);
  previews.set(localId, url);
  return url;
}

export function previewOf(localId: string | null): string | null {
  return localId === null ? null : previews.get(localId) ?? null;
}

export function dropPreview(localId: string): void {
  const url = previews.get(localId);
  if (url !== undefined) URL.revokeObjectURL(url);
  previews.delete(localId);
}
