// Finds a QR code in a picture. The decoder is large and rarely needed, so it is loaded on first use.

/** Small codes in large pictures need the detail, blurry ones the smoothing of a smaller size. */
const SIDES = [1600, 900, 480];

/** What the code in the picture says; null if there is none. */
export async function readQr(picture: Blob): Promise<string | null> {
  const [{ default: jsQR }, bitmap] = await Promise.all([import("jsqr"), createImageBitmap(picture)]);
  try {
    for (const side of SIDES) {
      const pixels = scaled(bitmap, side);
      const code = pixels === null ? null : jsQR(pixels.data, pixels.width, pixels.height);
      if (code !== null && code.data !== "") return code.data;
    }
    return null;
  } finally {
    bitmap.close();
  }
}

function scaled(bitmap: ImageBitmap, side: number): ImageData | null {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  if (context === null) return null;
  // Transparent pictures would turn black.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
