import { createSignal, createUniqueId, Show, type JSX } from "solid-js";
import type { Conversations } from "../../chat/conversations.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { SessionList } from "../agent-chat/SessionList.tsx";
import { UsageTotal } from "../agent-chat/UsageTotal.tsx";
import { ChatPanel } from "../chat-panel/ChatPanel.tsx";
import { ListIcon, MinimiseIcon, PinIcon, PlusIcon, UnpinIcon } from "../common/icons.tsx";
import { ConnectionState } from "../connection/ConnectionState.tsx";
import { DemoBanner } from "../connection/DemoBanner.tsx";
import { ExportMenu } from "../export/ExportMenu.tsx";
import { SettingsButton } from "../settings/SettingsButton.tsx";
import { SettingsDialog } from "../settings/SettingsDialog.tsx";
import type { Mover } from "./mover.ts";
import type { PlacementControl } from "./placement.ts";
import { Resizer } from "./Resizer.tsx";

interface ChatWindowProps {
  conversations: Conversations;
  control: PlacementControl;
  mover: Mover;
  title: string;
  suggestions: readonly string[] | undefined;
  demoBanner: boolean;
  pageSettings: JSX.Element;
  onMinimise: () => void;
}

/** The open chat: floating, or pinned to a side. */
export function ChatWindow(props: ChatWindowProps) {
  const texts = useTexts();
  const titleId = createUniqueId();
  const listId = createUniqueId();
  const [settingsShown, setSettingsShown] = createSignal(false);
  const [listShown, setListShown] = createSignal(false);
  const isPinned = () => props.control.placement() === "pinned";
  let frame!: HTMLDivElement;
  let list: HTMLDivElement | undefined;
  let toggle!: HTMLButtonElement;

  function showList(): void {
    setListShown(true);
    list?.querySelector<HTMLElement>("[aria-current], button")?.focus();
  }

  function hideList(): void {
    setListShown(false);
    toggle.focus();
  }

  function onPick(): void {
    setListShown(false);
    frame.querySelector<HTMLElement>(".oc-composer textarea")?.focus({ preventScroll: true });
  }

  function startNew(): void {
    props.conversations.startNew();
    onPick();
  }

  /** A press on the header beside its buttons leaves the focus where it was. */
  function keepFocus(event: MouseEvent): void {
    if ((event.target as Element).closest("button") === null) event.preventDefault();
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    if (listShown()) hideList();
    else props.onMinimise();
  }

  return (
    <div
      ref={frame}
      class="oc-window"
      role="dialog"
      aria-labelledby={titleId}
      style={{ "--oc-window-width": `${props.control.size().width}rem`, "--oc-window-height": `${props.control.size().height}rem` }}
      onKeyDown={onKeyDown}
    >
      <div
        class="oc-window-header"
        title={texts().collapsible.move}
        onPointerDown={props.mover.drag(() => frame)}
        onKeyDown={(event) => props.mover.onKeyDown(event, frame)}
        onMouseDown={keepFocus}
      >
        <button
          type="button"
          class="oc-button oc-button-quiet"
          ref={toggle}
          aria-label={texts().sessions.label}
          title={texts().sessions.label}
          aria-expanded={listShown()}
          aria-controls={listShown() ? listId : undefined}
          onClick={() => (listShown() ? hideList() : showList())}
        >
          <ListIcon />
        </button>
        <h2 id={titleId} class="oc-window-title">{props.title}</h2>
        <ConnectionState connection={props.conversations.connection()} />
        <span class="oc-spacer" />
        <UsageTotal usage={props.conversations.usage()} />
        <ExportMenu conversations={props.conversations} />
        <button type="button" class="oc-button oc-button-quiet" aria-label={texts().sessions.new} title={texts().sessions.new} onClick={startNew}>
          <PlusIcon />
        </button>
        <SettingsButton onOpen={() => setSettingsShown(true)} />
        <button
          type="button"
          class="oc-button oc-button-quiet oc-pin"
          aria-pressed={isPinned()}
          aria-label={texts().collapsible.pin}
          title={isPinned() ? texts().collapsible.float : texts().collapsible.pin}
          onClick={() => props.control.togglePin()}
        >
          <Show when={isPinned()} fallback={<PinIcon />}><UnpinIcon /></Show>
        </button>
        <button type="button" class="oc-button oc-button-quiet" aria-label={texts().collapsible.minimise} title={texts().collapsible.minimiseTitle} onClick={() => props.onMinimise()}>
          <MinimiseIcon />
        </button>
      </div>
      <Show when={props.demoBanner}><DemoBanner server={props.conversations.server()} /></Show>
      <div class="oc-window-body">
        <div class="oc-window-panel" inert={listShown()}>
          <ChatPanel
            chat={props.conversations.current()}
            connection={props.conversations.connection()}
            budgets={props.conversations.budgets()}
            suggestions={props.suggestions}
          />
        </div>
        <Show when={listShown()}>
          <div class="oc-window-list" id={listId} ref={list}>
            <SessionList conversations={props.conversations} onPick={onPick} />
          </div>
        </Show>
      </div>
      <Show when={settingsShown()}>
        <SettingsDialog conversations={props.conversations} onClose={() => setSettingsShown(false)}>{props.pageSettings}</SettingsDialog>
      </Show>
      <Resizer control={props.control} />
    </div>
  );
}
