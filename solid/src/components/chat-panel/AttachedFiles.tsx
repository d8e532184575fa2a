import { For, Show } from "solid-js";
import { excessOf, type FileProblem } from "../../chat/attachments.ts";
import type { DraftFiles } from "../../chat/draft-files.ts";
import type { Formats } from "../../format/formats.ts";
import type { Texts } from "../../texts/english.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { FileChip } from "./FileChip.tsx";

/** The files that go with the message, and what is wrong with them. `onRemoved` gets the focus on from the one that is gone. */
export function AttachedFiles(props: { files: DraftFiles; onRemoved: () => void }) {
  const texts = useTexts();
  const formats = useFormats();
  let list: HTMLUListElement | undefined;

  const excessWords = ({ excess, most }: { excess: number; most: number }) =>
    texts().files.tooLargeTogether(formats().formatBytes(excess), formats().formatBytes(most));

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
        <ul class="oc-files" aria-label={texts().files.toSend} ref={list}>
          <For each={props.files.items()}>{(file, index) => <li><FileChip file={file} onRemove={() => remove(file.key, index())} /></li>}</For>
          <Show when={props.files.reading() > 0}><li class="oc-file oc-muted" role="status">{texts().files.reading(formats().countOf(props.files.reading()))}</li></Show>
        </ul>
      </Show>
      <For each={props.files.problems()}>{(problem) => <p class="oc-attach-problem oc-error-text" role="alert">{problemWords(problem, texts().files, formats())}</p>}</For>
      <Show when={excessOf(props.files.items())}>{(problem) => <p class="oc-attach-problem oc-error-text" role="alert">{excessWords(problem())}</p>}</Show>
    </>
  );
}

/** Why a file was not taken. */
function problemWords(problem: FileProblem, words: Texts["files"], { countOf, formatBytes }: Formats): string {
  switch (problem.kind) {
    case "wrong_type":
      return words.wrongType(problem.name);
    case "empty":
      return words.empty(problem.name);
    case "unreadable":
      return words.unreadable(problem.name);
    case "too_large":
      return words.tooLarge(problem.name, formatBytes(problem.excess), formatBytes(problem.most));
    case "too_many":
      return words.tooMany(problem.name, countOf(problem.most));
    case "too_many_documents":
      return words.tooManyDocuments(problem.name, countOf(problem.most));
  }
}
