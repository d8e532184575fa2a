import { createEffect, createSignal, on, Show } from "solid-js";
import type { ChatState } from "../../chat/state.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { ChatIcon } from "../common/icons.tsx";
import { hotkeyLabel } from "./hotkey.ts";
import { MOVE_KEYS, type Mover } from "./mover.ts";

interface LauncherProps {
  ref: (element: HTMLButtonElement) => void;
  hidden: boolean;
  state: ChatState;
  hotkey: string | null;
  mover: Mover;
  onOpen: () => void;
}

/** The button in the corner. While the chat is minimised it shows that an answer is being made, and that one has come since. */
export function Launcher(props: LauncherProps) {
  const texts = useTexts();
  const [unread, setUnread] = createSignal(false);
  const answering = () => props.state.turn !== undefined;
  createEffect(on([answering, () => props.hidden], ([now, hidden], before) => setUnread((was) => !hidden && (was || (before?.[0] === true && !now)))));

  const shortcuts = () => (props.hotkey === null ? MOVE_KEYS : `Control+${props.hotkey.toUpperCase()} Meta+${props.hotkey.toUpperCase()} ${MOVE_KEYS}`);
  let button!: HTMLButtonElement;

  return (
    <button
      type="button"
      ref={(element) => props.ref((button = element))}
      class="oc-launcher"
      data-hidden={props.hidden ? "" : undefined}
      tabindex={props.hidden ? -1 : undefined}
      aria-hidden={props.hidden ? "true" : undefined}
      aria-expanded={props.hidden}
      aria-keyshortcuts={shortcuts()}
      title={texts().collapsible.move}
      onPointerDown={props.mover.drag(() => button)}
      onKeyDown={(event) => props.mover.onKeyDown(event, button)}
      onClick={() => props.onOpen()}
    >
      <ChatIcon />
      <span>{texts().collapsible.launch}</span>
      <Show when={props.hotkey}>{(key) => <kbd aria-hidden="true">{hotkeyLabel(key(), texts().collapsible.controlKey)}</kbd>}</Show>
      <Show when={answering()}><span class="oc-dots" aria-hidden="true"><span /><span /><span /></span><span class="oc-hidden">{texts().collapsible.answering}</span></Show>
      <Show when={unread()}><span class="oc-unread" aria-hidden="true" /><span class="oc-hidden">{texts().collapsible.newAnswer}</span></Show>
    </button>
  );
}
