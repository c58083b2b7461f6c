import { t } from "./i18n.ts";
import { showToast } from "./toast.ts";

/** Also where the modern clipboard is missing: on pages that came over plain HTTP. */
export async function copy(text: string): Promise<void> {
  const done = await write(text);
  showToast(t(done ? "copied" : "copyFailed"));
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return writeOldWay(text);
  }
}

function writeOldWay(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden-input";
  document.body.append(area);
  area.select();
  try {
    // Deprecated, and still the only way without a secure context.
    return document.execCommand("copy");
  } finally {
    area.remove();
  }
}
