import { Key } from "@solid-primitives/keyed";
import { Show } from "solid-js";
import type { Conversations } from "../../chat/conversations.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { PlusIcon } from "../common/icons.tsx";
import { SessionRow } from "./SessionRow.tsx";

/** The conversations, the latest first, and a way to a new one. */
export function SessionList(props: { conversations: Conversations; onPick: () => void }) {
  const texts = useTexts();
  const list = () => props.conversations.sessions.state();
  const currentId = () => props.conversations.current().sessionId;

  function pick(action: () => void): void {
    action();
    props.onPick();
  }

  return (
    <nav class="oc-sessions" aria-label={texts().sessions.label}>
      <button type="button" class="oc-button oc-sessions-new" onClick={() => pick(() => props.conversations.startNew())}>
        <PlusIcon /> {texts().sessions.new}
      </button>
      <Show when={list().failure}>
        {(failure) => (
          <div class="oc-notice oc-notice-error" role="alert">
            <p><strong>{texts().errors[failure().code]}</strong> {failure().message}</p>
            <button type="button" class="oc-button" onClick={() => void props.conversations.sessions.refresh()}>{texts().sessions.loadAgain}</button>
          </div>
        )}
      </Show>
      <ul class="oc-sessions-list">
        <Key each={list().items} by="sessionId">
          {(session) => (
            <SessionRow
              session={session()}
              current={session().sessionId === currentId()}
              onOpen={() => pick(() => props.conversations.open(session().sessionId))}
              onRename={(title) => props.conversations.sessions.rename(session().sessionId, title)}
              onDelete={() => props.conversations.remove(session().sessionId)}
            />
          )}
        </Key>
      </ul>
      <Show when={list().phase === "loaded" && list().items.length === 0}>
        <p class="oc-notice oc-muted">{texts().sessions.none}</p>
      </Show>
      <Show when={list().hasMore}>
        <button type="button" class="oc-button" disabled={list().phase === "loading"} onClick={() => void props.conversations.sessions.loadMore()}>
          {texts().sessions.showMore}
        </button>
      </Show>
    </nav>
  );
}
