import { createEffect, createUniqueId, on, Show } from "solid-js";
import { excessOf, pickable } from "../../chat/attachments.ts";
import type { Chat } from "../../chat/chat.ts";
import type { Connection } from "../../chat/connection.ts";
import { characters } from "../../format/numbers.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { PaperclipIcon, PencilIcon, SendIcon, StopIcon } from "../common/icons.tsx";
import { AttachedFiles } from "./AttachedFiles.tsx";
import { makeRecall } from "./recall.ts";

/** The box grows with its text up to this height; beyond it, it scrolls. */
const MAX_HEIGHT_PX = 220;

/**
 * Where the person writes: Enter sends, Shift+Enter makes a line, ↑ in the empty box brings back what was said before, ↓ what was said after
 * that. Files are picked here or pasted. An earlier message is changed here too.
 */
export function Composer(props: { chat: Chat; connection: Connection | undefined; autofocus: boolean }) {
  const texts = useTexts();
  const formats = useFormats();
  const words = () => texts().composer;
  let box!: HTMLTextAreaElement;
  let picker!: HTMLInputElement;
  const files = () => props.chat.draft.files;
  const draft = () => props.chat.draft.text();
  const setDraft = (text: string) => props.chat.draft.setText(text);
  const recall = makeRecall(() => props.chat.state());
  const edited = () => props.chat.draft.editing();
  const lostFiles = () => {
    const message = props.chat.state().messages.find(({ key }) => key === edited());
    return message?.role === "user" && (message.files ?? []).some((file) => file.data === undefined);
  };
  const hintId = createUniqueId();
  const answering = () => props.chat.state().turn !== undefined;
  const closed = () => props.connection?.state === "closed";
  const excess = () => {
    const limit = props.connection?.server?.limits.maxMessageChars;
    return limit === undefined ? 0 : Math.max(0, characters(draft()) - limit);
  };
  const hasContent = () => draft().trim() !== "" || files().items().length > 0;
  const isReady = () => files().reading() === 0 && excessOf(files().items()) === undefined && excess() === 0;
  const sendable = () => hasContent() && isReady() && !answering() && !closed() && !props.chat.draft.isSending();

  createEffect(on(() => props.chat, () => props.autofocus && box.focus({ preventScroll: true })));
  createEffect(
    on(draft, () => {
      box.style.height = "auto";
      box.style.height = `${Math.min(box.scrollHeight, MAX_HEIGHT_PX)}px`;
    }),
  );

  function send(): void {
    if (!sendable()) return;
    const { chat } = props;
    const key = edited();
    if (key !== undefined) void chat.replace(key, draft(), files().items());
    else if (chat.send(draft(), files().items())) chat.draft.sent();
  }

  function cancelEdit(): void {
    props.chat.draft.cancelEdit();
    box.focus({ preventScroll: true });
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

  /** With the caret within a text, the arrows move it. */
  function walk(direction: "older" | "newer"): boolean {
    const isAtEdge = box.selectionStart === box.selectionEnd && [0, box.value.length].includes(box.selectionEnd);
    const text = isAtEdge && edited() === undefined ? recall.step(draft(), direction) : undefined;
    if (text === undefined) return false;
    setDraft(text);
    box.setSelectionRange(text.length, text.length);
    return true;
  }

  function onKeyDown(event: KeyboardEvent): void {
    // While an input method composes, Enter belongs to it.
    if (event.isComposing) return;
    const plain = !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && edited() !== undefined) {
      event.preventDefault();
      cancelEdit();
    } else if (plain && ((event.key === "ArrowUp" && walk("older")) || (event.key === "ArrowDown" && walk("newer")))) {
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
      <Show when={edited() !== undefined}>
        <div class="oc-editing">
          <PencilIcon />
          <p role="status">{words().editing}<Show when={lostFiles()}> {words().filesLeft}</Show></p>
          <button type="button" class="oc-button oc-button-quiet" title={words().cancelEditTitle} onClick={cancelEdit}>{words().cancelEdit}</button>
        </div>
      </Show>
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
          readOnly={props.chat.draft.isSending()}
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
