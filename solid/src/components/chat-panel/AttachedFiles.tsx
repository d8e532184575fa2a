import { For, Show } from "solid-js";
import { excessOf } from "../../chat/attachments.ts";
import type { DraftFiles } from "../../chat/draft-files.ts";
import { formatPlural } from "../../format/numbers.ts";
import { FileChip } from "./FileChip.tsx";

/** The files that go with the message, and what is wrong with them. `onRemoved` gets the focus on from the one that is gone. */
export function AttachedFiles(props: { files: DraftFiles; onRemoved: () => void }) {
  let list: HTMLUListElement | undefined;

  function remove(key: string, index: number): void {
    props.files.remove(key);
    const buttons = list?.isConnected ? list.querySelectorAll<HTMLElement>("button") : [];
    const next = buttons[Math.min(index, buttons.length - 1)];
    if (next === undefined) props.onRemoved();
    else next.focus();
  }

  return (
    <>
      <Show when={props.files.items().length > 0 || props.files.reading() > 0}>
        <ul class="oc-files" aria-label="Files to send" ref={list}>
          <For each={props.files.items()}>{(file, index) => <li><FileChip file={file} onRemove={() => remove(file.key, index())} /></li>}</For>
          <Show when={props.files.reading() > 0}><li class="oc-file oc-muted" role="status">Reading {formatPlural(props.files.reading(), "file")}…</li></Show>
        </ul>
      </Show>
      <For each={props.files.problems()}>{(problem) => <p class="oc-attach-problem oc-error-text" role="alert">{problem}</p>}</For>
      <Show when={excessOf(props.files.items())}>{(problem) => <p class="oc-attach-problem oc-error-text" role="alert">{problem()}</p>}</Show>
    </>
  );
}
