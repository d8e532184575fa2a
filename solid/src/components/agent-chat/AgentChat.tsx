import { createSignal, createUniqueId, Show, type JSX } from "solid-js";
import type { Client } from "../../chat/client.ts";
import { createConversations, type Conversations } from "../../chat/conversations.ts";
import { TextsProvider, useTexts, type Words } from "../../texts/TextsProvider.tsx";
import { ChatPanel } from "../chat-panel/ChatPanel.tsx";
import { ListIcon } from "../common/icons.tsx";
import { ConnectionState } from "../connection/ConnectionState.tsx";
import { DemoBanner } from "../connection/DemoBanner.tsx";
import { ExportMenu } from "../export/ExportMenu.tsx";
import { SettingsButton } from "../settings/SettingsButton.tsx";
import { SettingsDialog } from "../settings/SettingsDialog.tsx";
import { ModelPicker } from "./ModelPicker.tsx";
import { SessionList } from "./SessionList.tsx";
import { UsageTotal } from "./UsageTotal.tsx";

/** What the chat works on: a client of its own, or conversations that it shares with other components. */
export type ChatSource = { client: Client; conversations?: undefined } | { conversations: Conversations; client?: undefined };

export type AgentChatProps = ChatSource & Words & {
  /** Prompts that an empty conversation offers. */
  suggestions?: readonly string[];
  /** Whether to say that answers come from the emulator, where they do. Default true; a page that says it itself turns it off. */
  demoBanner?: boolean;
  /** Settings of the page's own, such as its theme, beside those of the chat. */
  pageSettings?: JSX.Element;
};

/** The whole chat: the conversations, the open one, connection, model and cost. Fills the height it is given. */
export function AgentChat(props: AgentChatProps) {
  return <TextsProvider texts={props.texts} locale={props.locale}><Chat {...props} /></TextsProvider>;
}

function Chat(props: AgentChatProps) {
  const texts = useTexts();
  const conversations = props.conversations ?? createConversations({ client: props.client as Client });
  const [listShown, setListShown] = createSignal(false);
  const [settingsShown, setSettingsShown] = createSignal(false);
  const listId = createUniqueId();
  let side!: HTMLDivElement;
  let toggle!: HTMLButtonElement;

  function showList(): void {
    setListShown(true);
    side.querySelector<HTMLElement>("button")?.focus();
  }

  function hideList(): void {
    if (!listShown()) return;
    setListShown(false);
    toggle.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented || !listShown()) return;
    event.preventDefault();
    hideList();
  }

  return (
    <div class="oc oc-agent">
      <div class="oc-agent-layout" data-list={listShown() ? "shown" : undefined} onKeyDown={onKeyDown}>
        <div class="oc-agent-side" id={listId} ref={side}>
          <SessionList conversations={conversations} onPick={() => setListShown(false)} />
        </div>
        <button type="button" class="oc-agent-veil" tabindex="-1" aria-hidden="true" onClick={hideList} />
        <div class="oc-agent-main">
          <div class="oc-agent-header">
            <button
              type="button"
              class="oc-button oc-button-quiet oc-agent-list-toggle"
              aria-expanded={listShown()}
              aria-controls={listId}
              ref={toggle}
              onClick={() => (listShown() ? hideList() : showList())}
            >
              <ListIcon /><span class="oc-hidden">{texts().sessions.label}</span>
            </button>
            <ConnectionState connection={conversations.connection()} />
            <span class="oc-spacer" />
            <UsageTotal usage={conversations.usage()} />
            <ExportMenu conversations={conversations} />
            <ModelPicker conversations={conversations} />
            <SettingsButton onOpen={() => setSettingsShown(true)} />
          </div>
          <Show when={props.demoBanner !== false}><DemoBanner server={conversations.server()} /></Show>
          <ChatPanel
            chat={conversations.current()}
            connection={conversations.connection()}
            budgets={conversations.budgets()}
            suggestions={props.suggestions}
          />
        </div>
      </div>
      <Show when={settingsShown()}>
        <SettingsDialog conversations={conversations} onClose={() => setSettingsShown(false)}>{props.pageSettings}</SettingsDialog>
      </Show>
    </div>
  );
}
