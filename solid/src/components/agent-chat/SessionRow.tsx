import type { Session } from "@outcrop/client";
import { createSignal, Match, Show, Switch, untrack } from "solid-js";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { PencilIcon, TrashIcon } from "../common/icons.tsx";

/** The longest title that the proxy takes. */
const MAX_TITLE_CHARS = 200;

interface SessionRowProps {
  session: Session;
  /** What stands above it, where it is the first of its time. */
  heading: string | undefined;
  /** A point in time of today, in milliseconds since the epoch. */
  now: number;
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

  /** The row may go, and the focus would go with it: to its neighbour then, or to the top of the list. */
  function keepFocus(): () => void {
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    const list = row.closest(".oc-sessions");
    return () => {
      if (row.isConnected) return leave();
      const next = neighbour?.isConnected ? neighbour.querySelector(".oc-session-open") : null;
      const top = list?.querySelector(".oc-search input") ?? list?.querySelector(".oc-sessions-new");
      ((next ?? top) as HTMLElement | null | undefined)?.focus();
    };
  }

  async function rename(value: string): Promise<void> {
    const wanted = value.trim();
    if (wanted === "" || wanted === title()) return leave();
    const giveFocus = keepFocus();
    setBusy(true);
    await props.onRename(wanted);
    setBusy(false);
    giveFocus();
  }

  async function remove(): Promise<void> {
    const giveFocus = keepFocus();
    setBusy(true);
    await props.onDelete();
    setBusy(false);
    giveFocus();
  }

  function onEscape(event: KeyboardEvent): void {
    if (event.key !== "Escape" || mode() === "plain") return;
    event.preventDefault();
    event.stopPropagation();
    leave();
  }

  return (
    <li ref={row}>
      <Show when={props.heading}>{(heading) => <h3 class="oc-sessions-day">{heading()}</h3>}</Show>
      <div class="oc-session" data-current={props.current ? "" : undefined} onKeyDown={onEscape}>
        <Switch>
          <Match when={mode() === "plain"}>
            <button type="button" class="oc-session-open" aria-current={props.current ? "true" : undefined} onClick={() => props.onOpen()}>
              <span class="oc-session-title" dir="auto">{title()}</span>
              <span class="oc-muted">{formats().shortDate(Date.parse(props.session.updatedAt), props.now)}</span>
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
              {/* The list may come anew meanwhile: what is being written stays. */}
              <input ref={takeFocus} value={untrack(title)} maxlength={MAX_TITLE_CHARS} disabled={busy()} aria-label={texts().sessions.title} dir="auto" />
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
      </div>
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
