// Addresses: the page's own, and those in texts. Pure.

export interface Route {
  user: string | null;
  bot: string | null;
  /** The QR code whose link was opened. */
  qrcode: string | null;
}

export function parseRoute(pathname: string, search: string): Route {
  const query = new URLSearchParams(search);
  return {
    user: query.get("user") || null,
    bot: query.get("bot") || null,
    qrcode: qrcodeInPath(pathname),
  };
}

export function routePath(user: string, bot: string | null): string {
  const query = new URLSearchParams({ user });
  if (bot !== null) query.set("bot", bot);
  return `/phone/?${query.toString().replaceAll("%40", "@")}`;
}

function qrcodeInPath(pathname: string): string | null {
  const match = /\/q\/([^/]+)\/?$/.exec(pathname);
  return match?.[1] === undefined ? null : decoded(match[1]);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

export interface TextPart {
  text: string;
  link: boolean;
}

/** Splits a text at its web addresses, so that they can be shown as links. */
export function splitLinks(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'，。！？；：、（）《》「」“”]+/gi)) {
    // A full stop or a bracket after an address belongs to the sentence.
    const link = match[0].replace(/[.,;:!?)\]]+$/, "");
    if (match.index > end) parts.push({ text: text.slice(end, match.index), link: false });
    parts.push({ text: link, link: true });
    end = match.index + link.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), link: false });
  return parts;
}
