import { Key } from "@solid-primitives/keyed";
import type { Session } from "@outcrop/client";
import { createMemo, createSignal, Show } from "solid-js";
import type { Conversations } from "../../chat/conversations.ts";
import { MAX_SESSIONS } from "../../chat/sessions.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { createToday } from "../common/day.ts";
import { PlusIcon } from "../common/icons.tsx";
import { folded, headingOf } from "./listing.ts";
import { SessionRow } from "./SessionRow.tsx";
import { SessionSearch } from "./SessionSearch.tsx";

/** What the list is shown with. */
export interface SessionListProps {
  /** The conversations that it lists. */
  conversations: Conversations;
  /** One has been opened, or a new one begun. */
  onPick: () => void;
  /** Milliseconds since the epoch. Which day it is the wall clock says. */
  clock?: () => number;
}

/** The conversations by when something was last said in them, the latest first, a search by title, and a way to a new one. */
export function SessionList(props: SessionListProps) {
  const texts = useTexts();
  const formats = useFormats();
  const words = () => texts().sessions;
  const today = createToday(() => (props.clock ?? Date.now)());
  const [query, setQuery] = createSignal("");
  const sessions = () => props.conversations.sessions;
  const list = () => sessions().state();
  const currentId = () => props.conversations.current().sessionId;
  const titleOf = (session: Session) => session.title ?? texts().common.untitled;

  const wanted = createMemo(() => folded(query().trim()));
  const isSearch = () => wanted() !== "" && list().items.length > 0;
  /** Whether all is there that is looked through. */
  const isComplete = () => !sessions().isLoadingAll() && (!list().hasMore || list().items.length >= MAX_SESSIONS);
  const shown = createMemo(() => (isSearch() ? list().items.filter((session) => folded(titleOf(session)).includes(wanted())) : list().items));
  /** The heading over each conversation that is the first under it. */
  const headings = createMemo(() => {
    const { days } = words();
    const all = shown().map(({ updatedAt }) => headingOf(Date.parse(updatedAt), today(), days, formats().monthName));
    return new Map(shown().map(({ sessionId }, index) => [sessionId, all[index] === all[index - 1] ? undefined : all[index]]));
  });
  const result = () => {
    if (!isSearch() || !isComplete()) return "";
    return shown().length === 0 ? words().noneCalled(query().trim()) : words().found(formats().wholeOf(shown().length));
  };

  function search(text: string): void {
    setQuery(text);
    if (isSearch()) void sessions().loadAll();
  }

  async function loadAgain(): Promise<void> {
    await sessions().refresh();
    if (isSearch()) await sessions().loadAll();
  }

  function pick(action: () => void): void {
    action();
    props.onPick();
  }

  return (
    <nav class="oc-sessions" aria-label={words().label}>
      <h2 class="oc-hidden">{words().label}</h2>
      <button type="button" class="oc-button oc-sessions-new" onClick={() => pick(() => props.conversations.startNew())}>
        <PlusIcon /> {words().new}
      </button>
      <Show when={list().items.length > 0}><SessionSearch text={query()} result={result()} onText={search} /></Show>
      <div class="oc-sessions-scroller">
        <Show when={list().failure}>
          {(failure) => (
            <div class="oc-notice oc-notice-error" role="alert">
              <p><strong>{texts().errors[failure().code]}</strong> {failure().message}</p>
              <button type="button" class="oc-button" onClick={() => void loadAgain()}>{words().loadAgain}</button>
            </div>
          )}
        </Show>
        <ul class="oc-sessions-list">
          <Key each={shown()} by="sessionId">
            {(session) => (
              <SessionRow
                session={session()}
                heading={headings().get(session().sessionId)}
                now={today()}
                current={session().sessionId === currentId()}
                onOpen={() => pick(() => props.conversations.open(session().sessionId))}
                onRename={(title) => sessions().rename(session().sessionId, title)}
                onDelete={() => props.conversations.remove(session().sessionId)}
              />
            )}
          </Key>
        </ul>
        <Show when={list().phase === "loaded" && list().items.length === 0}><p class="oc-notice oc-muted">{words().none}</p></Show>
        <Show
          when={isSearch()}
          fallback={
            <Show when={list().hasMore}>
              <button type="button" class="oc-button" disabled={list().phase === "loading"} onClick={() => void sessions().loadMore()}>{words().showMore}</button>
            </Show>
          }
        >
          <Show when={sessions().isLoadingAll()}><p class="oc-notice">{words().searching}</p></Show>
          <Show when={shown().length === 0 && isComplete()}><p class="oc-notice">{words().noneCalled(query().trim())}</p></Show>
          <Show when={list().hasMore && list().items.length >= MAX_SESSIONS}><p class="oc-notice">{words().onlyLatest(formats().wholeOf(MAX_SESSIONS))}</p></Show>
        </Show>
      </div>
    </nav>
  );
}
