// What the person chose about the page itself: language and light or dark.

import { effect, signal } from "@preact/signals";
import { recall, remember } from "./storage.ts";

export type Lang = "zh" | "en";
export type Theme = "system" | "light" | "dark";

function initialLang(): Lang {
  const saved = recall("lang");
  if (saved === "zh" || saved === "en") return saved;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

function initialTheme(): Theme {
  const saved = recall("theme");
  return saved === "light" || saved === "dark" ? saved : "system";
}

export const lang = signal<Lang>(initialLang());
export const theme = signal<Theme>(initialTheme());

export function chooseLang(choice: Lang): void {
  lang.value = choice;
  remember("lang", choice);
}

export function chooseTheme(choice: Theme): void {
  theme.value = choice;
  remember("theme", choice === "system" ? null : choice);
}

/** Keeps <html> in step with the choices; the style sheet does the rest. */
export function applyPrefs(): void {
  effect(() => {
    document.documentElement.lang = lang.value === "zh" ? "zh-CN" : "en";
  });
  effect(() => {
    if (theme.value === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme.value;
  });
}
