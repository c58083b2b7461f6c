import { t, type Key } from "../i18n.ts";
import { chooseLang, chooseTheme, lang, theme, type Lang, type Theme } from "../prefs.ts";

interface SwitchProps<Choice extends string> {
  label: string;
  choices: readonly (readonly [Choice, string])[];
  chosen: Choice;
  onChoose: (choice: Choice) => void;
}

function Switch<Choice extends string>({ label, choices, chosen, onChoose }: SwitchProps<Choice>) {
  return (
    <div class="switch" role="group" aria-label={label}>
      {choices.map(([choice, text]) => (
        <button key={choice} type="button" aria-pressed={choice === chosen} onClick={() => onChoose(choice)}>
          {text}
        </button>
      ))}
    </div>
  );
}

// Each language is written in itself: who can't read the page must still find their own.
const LANGS: readonly (readonly [Lang, string])[] = [
  ["zh", "中文"],
  ["en", "English"],
];

export function LangSwitch() {
  return <Switch label={t("language")} choices={LANGS} chosen={lang.value} onChoose={chooseLang} />;
}

const THEMES: readonly (readonly [Theme, Key])[] = [
  ["system", "themeSystem"],
  ["light", "themeLight"],
  ["dark", "themeDark"],
];

export function ThemeSwitch() {
  const choices = THEMES.map(([choice, key]) => [choice, t(key)] as const);
  return <Switch label={t("appearance")} choices={choices} chosen={theme.value} onChoose={chooseTheme} />;
}
