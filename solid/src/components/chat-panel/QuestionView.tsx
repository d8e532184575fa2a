import { For, Show } from "solid-js";
import type { Question } from "../../chat/state.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { FileChip } from "./FileChip.tsx";

/** What the person said, as it was typed, and the files with it. */
export function QuestionView(props: { question: Question }) {
  const texts = useTexts();
  const formats = useFormats();
  return (
    <article class="oc-message oc-question" aria-label={texts().answer.question(formats().timeOfDay(props.question.at))}>
      <Show when={props.question.files}>
        {(files) => <ul class="oc-files" aria-label={texts().files.attached}><For each={files()}>{(file) => <li><FileChip file={file} /></li>}</For></ul>}
      </Show>
      <Show when={props.question.text !== ""}><p dir="auto" class="oc-question-text">{props.question.text}</p></Show>
    </article>
  );
}
