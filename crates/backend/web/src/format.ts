// Times, sizes and durations as people read them. Pure; the language is passed in.

import type { Lang } from "./prefs.ts";

const LOCALES: Record<Lang, string> = { zh: "zh-CN", en: "en-GB" };

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** Calendar days between two moments, in the local time zone. */
export function daysBetween(earlier: number, later: number): number {
  return Math.round((startOfDay(later) - startOfDay(earlier)) / 86_400_000);
}

export function clock(at: number, lang: Lang): string {
  return new Intl.DateTimeFormat(LOCALES[lang], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
}

function day(at: number, now: number, lang: Lang): string {
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return new Intl.DateTimeFormat(LOCALES[lang], {
    month: lang === "zh" ? "long" : "short",
    day: "numeric",
    ...(sameYear ? {} : { year: "numeric" }),
  }).format(at);
}

function weekday(at: number, lang: Lang): string {
  return new Intl.DateTimeFormat(LOCALES[lang], { weekday: lang === "zh" ? "long" : "short" }).format(at);
}

/** For a list: the time today, the day before that. */
export function shortTime(at: number, now: number, lang: Lang, yesterday: string): string {
  const days = daysBetween(at, now);
  if (days <= 0) return clock(at, lang);
  if (days === 1) return yesterday;
  return days < 7 ? weekday(at, lang) : day(at, now, lang);
}

/** For a separator between messages: always with the time. */
export function longTime(at: number, now: number, lang: Lang, yesterday: string): string {
  const days = daysBetween(at, now);
  const time = clock(at, lang);
  if (days <= 0) return time;
  if (days === 1) return `${yesterday} ${time}`;
  return days < 7 ? `${weekday(at, lang)} ${time}` : `${day(at, now, lang)} ${time}`;
}

/** Everything, for a tooltip. */
export function fullTime(at: number, lang: Lang): string {
  return new Intl.DateTimeFormat(LOCALES[lang], { dateStyle: "medium", timeStyle: "medium" }).format(at);
}

export function humanSize(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 100 ? 0 : 1;
  return `${size.toFixed(digits)} ${units[unit]}`;
}

/** 83000 → "1:23". */
export function minutes(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const rest = String(seconds % 60).padStart(2, "0");
  return `${Math.floor(seconds / 60)}:${rest}`;
}

/** 3400 → "3″", never zero: how WeChat writes a voice message's length. */
export function seconds(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1000))}″`;
}

/** "chart.tar.gz" → "GZ", for a file's picture. */
export function extension(name: string): string {
  const dot = name.lastIndexOf(".");
  const ending = dot > 0 ? name.slice(dot + 1) : "";
  return ending.length > 0 && ending.length <= 5 ? ending.toUpperCase() : "";
}

/** A bot's markdown as bare words: one line has no room for formatting. */
export function withoutMarks(markdown: string): string {
  return markdown
    .replace(/^(#{1,6}|>|[-*+]|\d+\.)\s+/gm, "")
    .replace(/\*\*|__|`+/g, "")
    .replace(/\s+/g, " ");
}
