import type { BudgetState } from "@outcrop/client";
import { createUniqueId, Show, type JSX } from "solid-js";
import type { Chat } from "../../chat/chat.ts";
import type { Connection } from "../../chat/connection.ts";
import { TextsProvider, useTexts, type Words } from "../../texts/TextsProvider.tsx";
import { Announcer } from "./Announcer.tsx";
import { Composer } from "./Composer.tsx";
import { DropZone } from "./DropZone.tsx";
import { EmptyState } from "./EmptyState.tsx";
import { Gauge } from "./Gauge.tsx";
import { HistoryNotice } from "./HistoryNotice.tsx";
import { MessageList } from "./MessageList.tsx";
import { PanelContext, type Panel as PanelParts } from "./panel.ts";

export interface ChatPanelProps extends Words {
  /** The conversation, from `createChat` or from `Conversations`. */
  chat: Chat;
  /** Where the connection stands; sending is refused once it is closed for good. */
  connection?: Connection | undefined;
  /** The budgets that hold for this person, from `Conversations`: what is left is shown. */
  budgets?: readonly BudgetState[] | undefined;
  /** Prompts that an empty conversation offers. Default: those of the texts. */
  suggestions?: readonly string[] | undefined;
  /** Whether the composer takes the focus when the panel appears or another conversation is opened. Default true. */
  autofocus?: boolean | undefined;
  /** Shown above the composer. */
  children?: JSX.Element;
}

/** A conversation: its messages and the composer. Fills the height it is given. */
export function ChatPanel(props: ChatPanelProps) {
  return <TextsProvider texts={props.texts} locale={props.locale}><Panel {...props} /></TextsProvider>;
}

function Panel(props: ChatPanelProps) {
  const texts = useTexts();
  const headingId = createUniqueId();
  const state = () => props.chat.state();
  const isConnected = () => props.connection === undefined || props.connection.state === "open";
  const isEmpty = () => state().messages.length === 0 && state().history.phase !== "loading" && state().history.phase !== "failed";

  let section!: HTMLElement;
  const tools = () => props.connection?.server?.tools ?? [];
  const panel: PanelParts = {
    toolInfo: (call) => tools().find(({ name, server }) => name === call.name && (call.server === undefined || server === call.server)),
    decide: (toolUseId, approved) => void props.chat.decide(toolUseId, approved),
    savedBy: (model, usage) => props.chat.savedBy(model, usage),
    isComposing: () => props.chat.draft() !== "" || props.chat.files.items().length > 0,
    focusComposer: () => section.querySelector<HTMLElement>(".oc-composer textarea")?.focus({ preventScroll: true }),
  };

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented || state().turn === undefined) return;
    event.preventDefault();
    props.chat.stop();
  }

  return (
    <PanelContext.Provider value={panel}>
      <section class="oc oc-panel" aria-labelledby={headingId} onKeyDown={onKeyDown} ref={section}>
        <h2 id={headingId} class="oc-hidden">{texts().panel.conversation}</h2>
        <DropZone onFiles={(files) => void props.chat.files.add(files)}>
          <Show keyed when={props.chat}>
            {(chat) => (
              <MessageList state={state()} connected={isConnected()} onRetry={() => chat.retry()} onGoOn={() => chat.send(texts().answer.goOnMessage)}>
                <HistoryNotice state={state()} onLoad={() => void chat.loadHistory()} />
                <Show when={isEmpty()}>
                  <EmptyState
                    suggestions={props.suggestions ?? texts().empty.suggestions}
                    tools={tools()}
                    demo={props.connection?.server?.demo === true}
                    onPick={(text) => chat.send(text)}
                  />
                </Show>
              </MessageList>
            )}
          </Show>
          {props.children}
          <Gauge chat={props.chat} budgets={props.budgets ?? []} />
          <Composer chat={props.chat} connection={props.connection} autofocus={props.autofocus !== false} />
        </DropZone>
        <Announcer state={state()} connected={isConnected()} />
      </section>
    </PanelContext.Provider>
  );
}
