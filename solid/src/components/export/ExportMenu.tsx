import { createEffect, createSignal, createUniqueId, onCleanup, Show } from "solid-js";
import type { Conversations } from "../../chat/conversations.ts";
import { failureOf } from "../../chat/failure.ts";
import { pageClock } from "../../chat/ids.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { download } from "../common/download.ts";
import { DownloadIcon, SpinnerIcon } from "../common/icons.tsx";
import { fileName, toJson, toMarkdown } from "./transcript.ts";

/** Gives a person the open conversation, all of it, as a file. */
export function ExportMenu(props: { conversations: Conversations }) {
  const texts = useTexts();
  const formats = useFormats();
  const words = () => texts().export;
  const menuId = createUniqueId();
  const [isShown, setShown] = createSignal(false);
  const [isBusy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal<string>();
  const isEmpty = () => props.conversations.current().state().messages.length === 0;
  let frame!: HTMLDivElement;
  let button!: HTMLButtonElement;

  async function save(kind: "md" | "json"): Promise<void> {
    setProblem(undefined);
    setBusy(true);
    try {
      const transcript = await props.conversations.transcript();
      const [type, text] = kind === "md" ? ["text/markdown", toMarkdown(transcript, texts(), formats())] : ["application/json", toJson(transcript)];
      download(fileName(transcript, kind), type ?? "", text ?? "");
      hide();
    } catch (error) {
      setProblem(failureOf(error, pageClock()).message);
    } finally {
      setBusy(false);
    }
  }

  function hide(): void {
    if (frame.contains(document.activeElement)) button.focus();
    setShown(false);
    setProblem(undefined);
  }

  // A press beside it closes it; not every browser gives a button the focus that is pressed.
  createEffect(() => {
    if (!isShown()) return;
    const onPointerDown = (event: PointerEvent) => !frame.contains(event.target as Node) && hide();
    document.addEventListener("pointerdown", onPointerDown);
    onCleanup(() => document.removeEventListener("pointerdown", onPointerDown));
  });

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== "Escape" || !isShown()) return;
    event.preventDefault();
    hide();
  }

  return (
    <div
      class="oc-export"
      ref={frame}
      onKeyDown={onKeyDown}
      onFocusOut={(event) => event.relatedTarget instanceof Node && !frame.contains(event.relatedTarget) && setShown(false)}
    >
      <button
        type="button"
        class="oc-button oc-button-quiet"
        ref={button}
        aria-label={words().label}
        title={words().label}
        aria-expanded={isShown()}
        aria-controls={isShown() ? menuId : undefined}
        disabled={isEmpty()}
        onClick={() => (isShown() ? hide() : setShown(true))}
      >
        <DownloadIcon />
      </button>
      <Show when={isShown()}>
        <div class="oc-export-menu" id={menuId} role="group" aria-label={words().label}>
          <button type="button" class="oc-button oc-button-quiet" aria-disabled={isBusy()} onClick={() => isBusy() || void save("md")}>{words().markdown}</button>
          <button type="button" class="oc-button oc-button-quiet" aria-disabled={isBusy()} onClick={() => isBusy() || void save("json")}>{words().json}</button>
          <p role="status"><Show when={isBusy()}><SpinnerIcon /> {words().loading}</Show></p>
          <Show when={problem()}>{(text) => <p role="alert" class="oc-error-text" dir="auto">{words().failed(text())}</p>}</Show>
        </div>
      </Show>
    </div>
  );
}
