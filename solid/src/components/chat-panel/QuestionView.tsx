import { For, Show } from "solid-js";
import type { Question } from "../../chat/state.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { CopyButton } from "../common/CopyButton.tsx";
import { PencilIcon } from "../common/icons.tsx";
import { FileChip } from "./FileChip.tsx";
import { usePanel } from "./panel.ts";

/** What the person said, as it was typed, and the files with it. */
export function QuestionView(props: { question: Question; edited: boolean }) {
  const panel = usePanel();
  const texts = useTexts();
  const formats = useFormats();
  const words = () => texts().question;
  return (
    <article class="oc-message oc-question" data-edited={props.edited ? "" : undefined} aria-label={words().label(formats().timeOfDay(props.question.at))}>
      <Show when={props.question.files}>
        {(files) => <ul class="oc-files" aria-label={texts().files.attached}><For each={files()}>{(file) => <li><FileChip file={file} /></li>}</For></ul>}
      </Show>
      <Show when={props.question.text !== ""}><p dir="auto" class="oc-question-text">{props.question.text}</p></Show>
      <Show when={!props.edited}>
        <footer class="oc-question-actions">
          <Show when={props.question.text !== ""}><CopyButton text={() => props.question.text} label={words().copy} /></Show>
          <Show when={panel.canReplace()}>
            <button type="button" class="oc-button oc-button-quiet oc-edit" title={words().edit} onClick={() => panel.edit(props.question)}>
              <PencilIcon /><span class="oc-hidden">{words().edit}</span>
            </button>
          </Show>
        </footer>
      </Show>
    </article>
  );
}
