import { localStorageIfAny } from "@outcrop/solid";

/** `auto` follows the system. */
export type Theme = "auto" | "light" | "dark";

const KEY = "outcrop.theme";

export function storedTheme(): Theme {
  const value = localStorageIfAny()?.getItem(KEY);
  return value === "light" || value === "dark" ? value : "auto";
}

/** Shows the page in a theme: the style sheets follow the root element's `color-scheme`. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
}

/** Applies a theme and keeps it for the next page load. */
export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  localStorageIfAny()?.setItem(KEY, theme);
}
