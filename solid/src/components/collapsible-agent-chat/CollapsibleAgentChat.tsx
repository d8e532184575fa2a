import { createEffect, onCleanup, onMount, Show, type JSX } from "solid-js";
import type { Client } from "../../chat/client.ts";
import { createConversations } from "../../chat/conversations.ts";
import { localStorageIfAny, pageStorage } from "../../chat/storage.ts";
import { TextsProvider, useTexts, type Words } from "../../texts/TextsProvider.tsx";
import type { ChatSource } from "../agent-chat/AgentChat.tsx";
import { ChatWindow } from "./ChatWindow.tsx";
import { MIN_PAGE } from "./geometry.ts";
import { matchesHotkey } from "./hotkey.ts";
import { Launcher } from "./Launcher.tsx";
import { makeMover } from "./mover.ts";
import { makePlacement } from "./placement.ts";

/** The props of {@link CollapsibleAgentChat}. */
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
  /** Settings of the page's own, such as its theme, beside those of the chat. */
  pageSettings?: JSX.Element;
};

/**
 * A chat behind a launcher in a corner of any page: it opens over the page, is pinned to its side, and is minimised again with
 * Esc. Ctrl+K or Cmd+K toggles it. People drag it to another corner and make it as large as they like.
 *
 * A pinned chat tells the page which room to leave: the root element has `data-oc-dock`, `start` or `end`, and `--oc-dock-width`.
 */
export function CollapsibleAgentChat(props: CollapsibleAgentChatProps) {
  return <TextsProvider texts={props.texts} locale={props.locale}><Chat {...props} /></TextsProvider>;
}

function Chat(props: CollapsibleAgentChatProps) {
  const texts = useTexts();
  const conversations = props.conversations ?? createConversations({ client: props.client as Client });
  const control = makePlacement(pageStorage(localStorageIfAny()), props.storageKey ?? "outcrop.placement");
  const hotkey = () => (props.hotkey === undefined ? "k" : props.hotkey);
  const isOpen = () => control.placement() !== "minimised";
  const mover = makeMover(control, texts);
  let launcher: HTMLButtonElement | undefined;

  function minimise(): void {
    control.minimise();
    launcher?.focus();
  }

  onMount(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const key = hotkey();
      // Under the settings there is nothing of the chat to be used.
      if (key === null || !matchesHotkey(event, key) || document.querySelector(".oc-settings") !== null) return;
      event.preventDefault();
      if (isOpen()) minimise();
      else control.open();
    };
    document.addEventListener("keydown", onKeyDown);
    onCleanup(() => {
      document.removeEventListener("keydown", onKeyDown);
      document.documentElement.style.removeProperty("--oc-dock-width");
      delete document.documentElement.dataset["ocDock"];
    });
  });

  createEffect(() => {
    const root = document.documentElement;
    const isPinned = control.placement() === "pinned";
    root.style.setProperty("--oc-dock-width", isPinned ? `min(${control.dockWidth()}rem, 100vw - ${MIN_PAGE}rem)` : "0px");
    if (isPinned) root.dataset["ocDock"] = control.corner().inline;
    else delete root.dataset["ocDock"];
  });

  return (
    <div class="oc oc-collapsible" data-placement={control.placement()} data-block={control.corner().block} data-inline={control.corner().inline}>
      <Launcher
        ref={(element) => (launcher = element)}
        hidden={isOpen()}
        state={conversations.current().state()}
        hotkey={hotkey()}
        mover={mover}
        onOpen={() => control.open()}
      />
      <Show when={isOpen()}>
        <ChatWindow
          conversations={conversations}
          control={control}
          mover={mover}
          title={props.title ?? texts().collapsible.title}
          suggestions={props.suggestions}
          demoBanner={props.demoBanner !== false}
          pageSettings={props.pageSettings}
          onMinimise={minimise}
        />
      </Show>
      <p class="oc-hidden" role="status">{mover.announcement()}</p>
    </div>
  );
}
