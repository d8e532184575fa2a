import { createUniqueId, createSignal, For } from "solid-js";
import { chooseTheme, storedTheme, type Theme } from "./theme.ts";

const THEMES: readonly { theme: Theme; name: string }[] = [
  { theme: "auto", name: "System" },
  { theme: "light", name: "Light" },
  { theme: "dark", name: "Dark" },
];

/** Whether the page is light or dark, among the settings of the chat. */
export function ThemeChoice() {
  const [theme, setTheme] = createSignal(storedTheme());
  const group = createUniqueId();
  const choose = (chosen: Theme) => {
    setTheme(chosen);
    chooseTheme(chosen);
  };
  return (
    <fieldset class="oc-settings-part">
      <legend class="oc-settings-name">Theme</legend>
      <div class="app-themes">
        <For each={THEMES}>
          {({ theme: value, name }) => (
            <label class="oc-settings-check">
              <input type="radio" name={group} value={value} checked={theme() === value} onChange={() => choose(value)} />
              <span>{name}</span>
            </label>
          )}
        </For>
      </div>
    </fieldset>
  );
}
