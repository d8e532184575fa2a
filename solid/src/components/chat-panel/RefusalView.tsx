import { Show } from "solid-js";
import type { Refusal } from "../../chat/replacing.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { PencilIcon } from "../common/icons.tsx";
import { AnswerFailure } from "./AnswerFailure.tsx";
import { usePanel } from "./panel.ts";

/** Why nothing was replaced, and a way back to what was written. */
export function RefusalView(props: { refusal: Refusal }) {
  const panel = usePanel();
  const texts = useTexts();
  return (
    <AnswerFailure failure={props.refusal.failure} partial={false} canRetry={false} onRetry={() => {}}>
      <Show when={panel.canReplace() && props.refusal.question}>
        {(question) => <button type="button" class="oc-button" onClick={() => panel.edit(question())}><PencilIcon /> {texts().failure.editAgain}</button>}
      </Show>
    </AnswerFailure>
  );
}
