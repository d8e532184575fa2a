import { createEffect, createUniqueId, on, Show } from "solid-js";
import { excessOf, pickable } from "../../chat/attachments.ts";
import type { Chat } from "../../chat/chat.ts";
import type { Connection } from "../../chat/connection.ts";
import { characters } from "../../format/numbers.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { PaperclipIcon, SendIcon, StopIcon } from "../common/icons.tsx";
import { AttachedFiles } from "./AttachedFiles.tsx";

/** The box grows with its text up to this height; beyond it, it scrolls. */
const MAX_HEIGHT_PX = 220;

/**
 * Where the person writes: Enter sends, Shift+Enter makes a line, ↑ in the empty box brings back the last message's text. Files are picked
 * here or pasted.
 */
export function Composer(props: { chat: Chat; connection: Connection | undefined; autofocus: boolean }) {
  const texts = useTexts();
  const formats = useFormats();
  const words = () => texts().composer;
  let box!: HTMLTextAreaElement;
  let picker!: HTMLInputElement;
  const files = () => props.chat.files;
  const draft = () => props.chat.draft();
  const setDraft = (text: string) => props.chat.setDraft(text);
  const hintId = createUniqueId();
  const answering = () => props.chat.state().turn !== undefined;
  const closed = () => props.connection?.state === "closed";
  const excess = () => {
    const limit = props.connection?.server?.limits.maxMessageChars;
    return limit === undefined ? 0 : Math.max(0, characters(draft()) - limit);
  };
  const hasContent = () => draft().trim() !== "" || files().items().length > 0;
  const isReady = () => files().reading() === 0 && excessOf(files().items()) === undefined && excess() === 0;
  const sendable = () => hasContent() && isReady() && !answering() && !closed();

  createEffect(on(() => props.chat, () => props.autofocus && box.focus({ preventScroll: true })));
  createEffect(
    on(draft, () => {
      box.style.height = "auto";
      box.style.height = `${Math.min(box.scrollHeight, MAX_HEIGHT_PX)}px`;
    }),
  );

  function send(): void {
    if (!sendable() || !props.chat.send(draft(), files().items())) return;
    setDraft("");
    files().clear();
  }

  function picked(): void {
    void files().add([...(picker.files ?? [])]);
    // The same file can be picked again once it was removed.
    picker.value = "";
    box.focus({ preventScroll: true });
  }

  /** Pictures and files; text that comes with a picture of itself, as from a table, is text. */
  function onPaste(event: ClipboardEvent): void {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (pasted.length === 0 || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    void files().add(pasted);
  }

  function stop(): void {
    props.chat.stop();
    // The button goes, and the focus would go with it.
    box.focus({ preventScroll: true });
  }

  function recall(): boolean {
    const last = props.chat.state().messages.findLast((message) => message.role === "user");
    if (draft() !== "" || last === undefined || last.text === "") return false;
    setDraft(last.text);
    box.setSelectionRange(last.text.length, last.text.length);
    return true;
  }

  function onKeyDown(event: KeyboardEvent): void {
    // While an input method composes, Enter belongs to it.
    if (event.isComposing) return;
    const plain = !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && plain && recall()) {
      event.preventDefault();
    }
  }

  return (
    <form
      class="oc-composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <AttachedFiles files={files()} onRemoved={() => box.focus({ preventScroll: true })} />
      <div class="oc-composer-box">
        <input ref={picker} type="file" multiple hidden accept={pickable()} onChange={picked} />
        <button type="button" class="oc-button oc-button-quiet oc-attach" aria-label={words().attach} title={words().attach} onClick={() => picker.click()}>
          <PaperclipIcon />
        </button>
        <textarea
          ref={box}
          // Without a text of its own it is written as the page is.
          dir={draft() === "" ? undefined : "auto"}
          rows="1"
          value={draft()}
          placeholder={words().placeholder}
          aria-label={words().label}
          aria-describedby={hintId}
          aria-invalid={excess() > 0}
          onInput={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <Show
          when={answering()}
          fallback={
            <button type="submit" class="oc-button oc-button-primary oc-send" disabled={!sendable()} aria-label={words().send} title={words().sendTitle}>
              <SendIcon />
            </button>
          }
        >
          <button type="button" class="oc-button oc-button-primary oc-send" aria-label={words().stop} title={words().stopTitle} onClick={stop}>
            <StopIcon />
          </button>
        </Show>
      </div>
      <p id={hintId} class="oc-hint">
        <Show when={!closed()} fallback={<span class="oc-error-text">{words().closed}</span>}>
          <Show when={excess() > 0} fallback={answering() ? words().keysWhileAnswering : words().keys}>
            <span class="oc-error-text" role="status">{words().tooLong(formats().countOf(excess()))}</span>
          </Show>
        </Show>
      </p>
    </form>
  );
}
