import { createEffect, createSignal, onCleanup, Show } from "solid-js";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { CloseIcon, SearchIcon } from "../common/icons.tsx";

/** How long nothing has to change until a screen reader is told what was found. */
const QUIET_MS = 600;

interface SessionSearchProps {
  text: string;
  /** What was found, in words; empty while that is not known. */
  result: string;
  onText: (text: string) => void;
}

/** Where a person writes what a conversation is called. Esc empties it. */
export function SessionSearch(props: SessionSearchProps) {
  const texts = useTexts();
  const [told, setTold] = createSignal("");
  let input!: HTMLInputElement;

  createEffect(() => {
    const { result } = props;
    const timer = setTimeout(() => setTold(result), result === "" ? 0 : QUIET_MS);
    onCleanup(() => clearTimeout(timer));
  });

  function clear(): void {
    props.onText("");
    input.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== "Escape" || props.text === "" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    clear();
  }

  return (
    <div class="oc-search" role="search">
      <SearchIcon />
      <input
        ref={input}
        type="search"
        // Without a text of its own it is written as the page is.
        dir={props.text === "" ? undefined : "auto"}
        value={props.text}
        placeholder={texts().sessions.search}
        aria-label={texts().sessions.search}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => props.onText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <Show when={props.text !== ""}>
        <button type="button" class="oc-button oc-button-quiet" aria-label={texts().sessions.clearSearch} title={texts().sessions.clearSearch} onClick={clear}><CloseIcon /></button>
      </Show>
      <span class="oc-hidden" role="status">{told()}</span>
    </div>
  );
}
