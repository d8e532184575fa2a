import { createEffect, createUniqueId, onCleanup, onMount, Show } from "solid-js";
import type { Client } from "../../chat/client.ts";
import { createConversations } from "../../chat/conversations.ts";
import { localStorageIfAny } from "../../chat/storage.ts";
import { TextsProvider, useTexts, type Words } from "../../texts/TextsProvider.tsx";
import type { ChatSource } from "../agent-chat/AgentChat.tsx";
import { UsageTotal } from "../agent-chat/UsageTotal.tsx";
import { ChatPanel } from "../chat-panel/ChatPanel.tsx";
import { MinimiseIcon, PinIcon, PlusIcon, UnpinIcon } from "../common/icons.tsx";
import { ConnectionState } from "../connection/ConnectionState.tsx";
import { DemoBanner } from "../connection/DemoBanner.tsx";
import { matchesHotkey } from "./hotkey.ts";
import { Launcher } from "./Launcher.tsx";
import { makePlacement } from "./placement.ts";

export type CollapsibleAgentChatProps = ChatSource & Words & {
  /** The name at the top. Default: that of the texts, "Claude". */
  title?: string;
  suggestions?: readonly string[];
  /** Toggles the chat, together with Ctrl or Cmd. Default "k"; `null` for none. */
  hotkey?: string | null;
  /** Under which name local storage keeps the placement. Default "outcrop.placement". */
  storageKey?: string;
  /** Whether to say that answers come from the emulator, where they do. Default true. */
  demoBanner?: boolean;
};

/** How wide the pinned chat is; `--oc-dock-width` on the root element says it to the page, which leaves that room at its end. */
const DOCK_WIDTH = "26rem";

/**
 * A chat behind a launcher in the corner of any page: it opens over the page, is pinned to its side, and is minimised again with
 * Esc. Ctrl+K or Cmd+K toggles it.
 */
export function CollapsibleAgentChat(props: CollapsibleAgentChatProps) {
  return <TextsProvider texts={props.texts} locale={props.locale}><Chat {...props} /></TextsProvider>;
}

function Chat(props: CollapsibleAgentChatProps) {
  const texts = useTexts();
  const conversations = props.conversations ?? createConversations({ client: props.client as Client });
  const control = makePlacement(localStorageIfAny(), props.storageKey ?? "outcrop.placement");
  const isOpen = () => control.placement() !== "minimised";
  const titleId = createUniqueId();
  let launcher: HTMLButtonElement | undefined;

  function minimise(): void {
    control.minimise();
    launcher?.focus();
  }

  onMount(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const hotkey = props.hotkey === undefined ? "k" : props.hotkey;
      if (hotkey === null || !matchesHotkey(event, hotkey)) return;
      event.preventDefault();
      if (isOpen()) minimise();
      else control.open();
    };
    document.addEventListener("keydown", onKeyDown);
    onCleanup(() => document.removeEventListener("keydown", onKeyDown));
  });

  createEffect(() => {
    const root = document.documentElement.style;
    root.setProperty("--oc-dock-width", control.placement() === "pinned" ? DOCK_WIDTH : "0px");
    onCleanup(() => root.removeProperty("--oc-dock-width"));
  });

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    minimise();
  }

  return (
    <div class="oc oc-collapsible" data-placement={control.placement()}>
      <Launcher
        ref={(element) => (launcher = element)}
        hidden={isOpen()}
        state={conversations.current().state()}
        hotkey={props.hotkey === undefined ? "k" : props.hotkey}
        onOpen={() => control.open()}
      />
      <Show when={isOpen()}>
        <div class="oc-window" role="dialog" aria-labelledby={titleId} onKeyDown={onKeyDown}>
          <div class="oc-window-header">
            <h2 id={titleId} class="oc-window-title">{props.title ?? texts().collapsible.title}</h2>
            <ConnectionState connection={conversations.connection()} />
            <span class="oc-spacer" />
            <UsageTotal usage={conversations.usage()} />
            <button type="button" class="oc-button oc-button-quiet" aria-label={texts().sessions.new} title={texts().sessions.new} onClick={() => conversations.startNew()}>
              <PlusIcon />
            </button>
            <button
              type="button"
              class="oc-button oc-button-quiet oc-pin"
              aria-pressed={control.placement() === "pinned"}
              aria-label={texts().collapsible.pin}
              title={control.placement() === "pinned" ? texts().collapsible.float : texts().collapsible.pin}
              onClick={() => control.togglePin()}
            >
              <Show when={control.placement() === "pinned"} fallback={<PinIcon />}><UnpinIcon /></Show>
            </button>
            <button type="button" class="oc-button oc-button-quiet" aria-label={texts().collapsible.minimise} title={texts().collapsible.minimiseTitle} onClick={minimise}>
              <MinimiseIcon />
            </button>
          </div>
          <Show when={props.demoBanner !== false}><DemoBanner server={conversations.server()} /></Show>
          <ChatPanel
            chat={conversations.current()}
            connection={conversations.connection()}
            budgets={conversations.budgets()}
            suggestions={props.suggestions}
          />
        </div>
      </Show>
    </div>
  );
}
