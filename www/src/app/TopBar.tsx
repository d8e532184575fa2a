import { createSignal, For, Show } from "solid-js";
import { ConnectionState, type Connection } from "@outcrop/solid";
import { Mark } from "./Mark.tsx";
import type { Page } from "./route.ts";
import { SignOutIcon } from "./SignOutIcon.tsx";
import { chooseTheme, storedTheme, type Theme } from "./theme.ts";

const PAGES: readonly { page: Page; href: string; name: string }[] = [
  { page: "overview", href: "#/", name: "Overview" },
  { page: "chat", href: "#/chat", name: "Chat" },
  { page: "usage", href: "#/usage", name: "Usage" },
];

const THEMES: readonly Theme[] = ["auto", "light", "dark"];

/** The product's name, the pages, the connection, the theme, and who is signed in. */
export function TopBar(props: { page: Page; connection: Connection; signOut?: (() => void) | undefined }) {
  const [theme, setTheme] = createSignal(storedTheme());
  const choose = (chosen: Theme) => {
    setTheme(chosen);
    chooseTheme(chosen);
  };
  return (
    <header class="app-bar">
      <a class="app-brand" href="#/">
        <Mark size={24} />
        <span>Outcrop</span>
      </a>
      <nav class="app-nav" aria-label="Pages">
        <For each={PAGES}>{({ page, href, name }) => <a href={href} aria-current={props.page === page ? "page" : undefined}>{name}</a>}</For>
      </nav>
      <span class="oc-spacer" />
      <Show when={props.page !== "chat"}><ConnectionState connection={props.connection} /></Show>
      <label class="app-theme">
        <span class="oc-hidden">Theme</span>
        <select value={theme()} onChange={(event) => choose(event.currentTarget.value as Theme)}>
          <For each={THEMES}>{(name) => <option value={name}>{name.charAt(0).toUpperCase() + name.slice(1)}</option>}</For>
        </select>
      </label>
      <Show when={props.signOut}>
        {(signOut) => (
          <button type="button" class="oc-button oc-button-quiet app-sign-out" title={signOutTitle(props.connection)} aria-label={signOutTitle(props.connection)} onClick={() => signOut()()}>
            <span class="app-person">{props.connection.server?.principal.user}</span>
            <SignOutIcon />
          </button>
        )}
      </Show>
    </header>
  );
}

function signOutTitle({ server }: Connection): string {
  return server === undefined ? "Sign out" : `Sign out ${server.principal.user} of ${server.principal.organization}`;
}
