import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./components/App.tsx";
import { applyPrefs } from "./prefs.ts";
import { boot, followAddress, loadWhatIsShown } from "./session.ts";
import { readWhatIsSeen, unreadTotal } from "./store.ts";
import "./styles/index.css";
import { followKeyboard } from "./viewport.ts";

const TITLE = "鸿雁 Hongyan";

applyPrefs();
followKeyboard();
followAddress();
loadWhatIsShown();
readWhatIsSeen();
effect(() => {
  document.title = unreadTotal.value > 0 ? `(${unreadTotal.value}) ${TITLE}` : TITLE;
});

// A file that is dropped beside the chat would replace the page, and what was typed in it.
for (const type of ["dragover", "drop"]) {
  window.addEventListener(type, (event) => event.preventDefault());
}

const app = document.getElementById("app");
if (app !== null) render(<App />, app);
void boot();
