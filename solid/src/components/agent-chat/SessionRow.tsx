import type { Session } from "@outcrop/client";
import { createSignal, Match, Switch } from "solid-js";
import { pageClock } from "../../chat/ids.ts";
import { shortDate } from "../../format/time.ts";
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
  const [mode, setMode] = createSignal<"plain" | "renaming" | "deleting">("plain");
  const [busy, setBusy] = createSignal(false);
  const title = () => props.session.title ?? "Untitled";
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
            <span class="oc-muted">{shortDate(Date.parse(props.session.updatedAt), pageClock())}</span>
          </button>
          <span class="oc-session-actions">
            <button type="button" class="oc-button oc-button-quiet" title="Rename" aria-label={`Rename ${title()}`} onClick={() => setMode("renaming")}><PencilIcon /></button>
            <button type="button" class="oc-button oc-button-quiet" title="Delete" aria-label={`Delete ${title()}`} onClick={() => setMode("deleting")}><TrashIcon /></button>
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
            <input ref={takeFocus} value={title()} maxlength={MAX_TITLE_CHARS} disabled={busy()} aria-label="Title" dir="auto" />
            <button type="submit" class="oc-button" disabled={busy()}>Save</button>
          </form>
        </Match>
        <Match when={mode() === "deleting"}>
          <div class="oc-session-edit" role="group" aria-label={`Delete ${title()}?`}>
            <span class="oc-session-title">Delete it?</span>
            <button type="button" class="oc-button oc-button-danger" disabled={busy()} onClick={() => void remove()}>Delete</button>
            <button type="button" class="oc-button" ref={takeFocus} disabled={busy()} onClick={leave}>Keep</button>
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
