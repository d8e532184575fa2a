import { createSignal, For, Show } from "solid-js";
import { ConnectionState, type Connection } from "../components/index.ts";
import type { Route } from "./route.ts";
import { chooseTheme, storedTheme, type Theme } from "./theme.ts";

const THEMES: readonly Theme[] = ["auto", "light", "dark"];

/** The product's name, the pages, the connection and the theme. */
export function TopBar(props: { route: Route; connection: Connection }) {
  const [theme, setTheme] = createSignal(storedTheme());
  const choose = (chosen: Theme) => {
    setTheme(chosen);
    chooseTheme(chosen);
  };
  return (
    <header class="app-bar">
      <a class="app-brand" href="#/">
        <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true"><path d="M2 27 12 7l6 10 4-7 8 17z" fill="currentColor" /></svg>
        <span>Outcrop</span>
      </a>
      <nav class="app-nav" aria-label="Pages">
        <a href="#/" aria-current={props.route === "overview" ? "page" : undefined}>Overview</a>
        <a href="#/chat" aria-current={props.route === "chat" ? "page" : undefined}>Chat</a>
      </nav>
      <span class="oc-spacer" />
      <Show when={props.route === "overview"}><ConnectionState connection={props.connection} /></Show>
      <label class="app-theme">
        <span class="oc-hidden">Theme</span>
        <select value={theme()} onChange={(event) => choose(event.currentTarget.value as Theme)}>
          <For each={THEMES}>{(name) => <option value={name}>{name.charAt(0).toUpperCase() + name.slice(1)}</option>}</For>
        </select>
      </label>
    </header>
  );
}
