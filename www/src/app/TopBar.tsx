import { createSignal, For, Show } from "solid-js";
import { ConnectionState, SettingsButton, SettingsDialog, type Connection, type Conversations } from "@outcrop/solid";
import { Mark } from "./Mark.tsx";
import type { Page } from "./route.ts";
import { SignOutIcon } from "./SignOutIcon.tsx";
import { ThemeChoice } from "./ThemeChoice.tsx";

const PAGES: readonly { page: Page; href: string; name: string }[] = [
  { page: "overview", href: "#/", name: "Overview" },
  { page: "chat", href: "#/chat", name: "Chat" },
  { page: "usage", href: "#/usage", name: "Usage" },
];

/** The product's name, the pages, the connection, the settings, and who is signed in. On its own page the chat has the two in the middle. */
export function TopBar(props: { page: Page; conversations: Conversations; signOut?: (() => void) | undefined }) {
  const [settingsShown, setSettingsShown] = createSignal(false);
  const connection = () => props.conversations.connection();
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
      <Show when={props.page !== "chat"}>
        <ConnectionState connection={connection()} />
        <SettingsButton onOpen={() => setSettingsShown(true)} />
      </Show>
      <Show when={settingsShown()}>
        <SettingsDialog conversations={props.conversations} onClose={() => setSettingsShown(false)}><ThemeChoice /></SettingsDialog>
      </Show>
      <Show when={props.signOut}>
        {(signOut) => (
          <button type="button" class="oc-button oc-button-quiet app-sign-out" title={signOutTitle(connection())} aria-label={signOutTitle(connection())} onClick={() => signOut()()}>
            <span class="app-person">{connection().server?.principal.user}</span>
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
