// The button that goes through the themes: the system's, light, dark. The choice stays in this browser.

const THEMES = ["system", "light", "dark"];

export function themeSwitch(button, changed) {
  const root = document.documentElement;
  const current = () => root.dataset.theme ?? "system";
  const label = () => {
    button.textContent = `theme: ${current()}`;
  };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (next === "system") localStorage.removeItem("rlmc-theme");
      else localStorage.setItem("rlmc-theme", next);
    } catch {
      // It holds until the page is closed.
    }
    label();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  label();
}
