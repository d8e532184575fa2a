import type { Session } from "@outcrop/client";
import { createSignal, Match, Switch } from "solid-js";
import { pageClock } from "../../chat/ids.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { PencilIcon, TrashIcon } from "../common/icons.tsx";

/** The longest title that the proxy takes. */
const MAX_TITLE_CHARS = 200;

interface SessionRowProps {
  session: Session;
  current: boolean;
  onOpen: () => void;
  onRename: (title: string) => Promise<boolean>;
  onDelete: () => Promise<boolean>;
}

/** One conversation of the list: open it, give it another title, delete it after a question. */
export function SessionRow(props: SessionRowProps) {
  const texts = useTexts();
  const formats = useFormats();
  const [mode, setMode] = createSignal<"plain" | "renaming" | "deleting">("plain");
  const [busy, setBusy] = createSignal(false);
  const title = () => props.session.title ?? texts().common.untitled;
  let row!: HTMLLIElement;

  /** Leaves a mode and gives the focus back to the row. */
  function leave(): void {
    setMode("plain");
    row.querySelector<HTMLElement>(".oc-session-open")?.focus();
  }

  async function rename(value: string): Promise<void> {
    const wanted = value.trim();
    if (wanted === "" || wanted === title()) return leave();
    setBusy(true);
    await props.onRename(wanted);
    setBusy(false);
    leave();
  }

  async function remove(): Promise<void> {
    setBusy(true);
    // The row goes, and the focus would go with it.
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    const list = row.closest(".oc-sessions");
    if (await props.onDelete()) {
      const next = neighbour?.querySelector<HTMLElement>(".oc-session-open") ?? list?.querySelector<HTMLElement>(".oc-sessions-new");
      return next?.focus();
    }
    setBusy(false);
    leave();
  }

  function onEscape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || mode() === "plain") return;
    event.preventDefault();
    event.stopPropagation();
    leave();
  }

  return (
    <li class="oc-session" ref={row} data-current={props.current ? "" : undefined} onKeyDown={onEscape}>
      <Switch>
        <Match when={mode() === "plain"}>
          <button type="button" class="oc-session-open" aria-current={props.current ? "true" : undefined} onClick={() => props.onOpen()}>
            <span class="oc-session-title" dir="auto">{title()}</span>
            <span class="oc-muted">{formats().shortDate(Date.parse(props.session.updatedAt), pageClock())}</span>
          </button>
          <span class="oc-session-actions">
            <button type="button" class="oc-button oc-button-quiet" title={texts().sessions.rename} aria-label={texts().sessions.renameSession(title())} onClick={() => setMode("renaming")}><PencilIcon /></button>
            <button type="button" class="oc-button oc-button-quiet" title={texts().sessions.delete} aria-label={texts().sessions.deleteSession(title())} onClick={() => setMode("deleting")}><TrashIcon /></button>
          </span>
        </Match>
        <Match when={mode() === "renaming"}>
          <form
            class="oc-session-edit"
            onSubmit={(event) => {
              event.preventDefault();
              void rename(event.currentTarget.querySelector("input")?.value ?? "");
            }}
          >
            <input ref={takeFocus} value={title()} maxlength={MAX_TITLE_CHARS} disabled={busy()} aria-label={texts().sessions.title} dir="auto" />
            <button type="submit" class="oc-button" disabled={busy()}>{texts().sessions.save}</button>
          </form>
        </Match>
        <Match when={mode() === "deleting"}>
          <div class="oc-session-edit" role="group" aria-label={texts().sessions.askDeleteSession(title())}>
            <span class="oc-session-title">{texts().sessions.askDelete}</span>
            <button type="button" class="oc-button oc-button-danger" disabled={busy()} onClick={() => void remove()}>{texts().sessions.delete}</button>
            <button type="button" class="oc-button" ref={takeFocus} disabled={busy()} onClick={leave}>{texts().sessions.keep}</button>
          </div>
        </Match>
      </Switch>
    </li>
  );
}

/** Focuses an element once it is in the page. */
function takeFocus(element: HTMLElement): void {
  queueMicrotask(() => {
    element.focus();
    if (element instanceof HTMLInputElement) element.select();
  });
}
