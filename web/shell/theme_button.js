// The theme: as the system says, until somebody chooses. Charts get an event, for a canvas does not follow CSS.
import "/web/shell/language.js";
import { element, text } from "/web/shell/dom.js";
import { remember } from "/web/shell/memory.js";

const THEMES = ["auto", "light", "dark"];

function showTheme() {
  const theme = document.documentElement.dataset.theme ?? "auto";
  text(element("theme"), `Theme: ${theme}`);
  document.dispatchEvent(new Event("themechange"));
}

element("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
  if (next === "auto") {
    delete root.dataset.theme;
  } else {
    root.dataset.theme = next;
  }
  remember("theme", next === "auto" ? null : next);
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);

showTheme();
