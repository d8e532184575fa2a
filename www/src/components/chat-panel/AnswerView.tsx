import { For, Match, Show, Switch } from "solid-js";
import type { Answer } from "../../chat/state.ts";
import { modelName } from "../../format/models.ts";
import { timeOfDay } from "../../format/time.ts";
import { Markdown } from "../markdown/Markdown.tsx";
import { AnswerFailure } from "./AnswerFailure.tsx";
import { AnswerMeta } from "./AnswerMeta.tsx";
import { ToolCall } from "./ToolCall.tsx";
import { WaitingNote } from "./WaitingNote.tsx";

/** What the model said: reasoning, tool calls, text, and how it ended. */
export function AnswerView(props: { answer: Answer; connected: boolean; canRetry: boolean; onRetry: () => void }) {
  const answer = () => props.answer;
  const isWriting = () => answer().phase === "sent" || answer().phase === "streaming";
  const author = () => (answer().model === undefined ? "Claude" : modelName(answer().model ?? ""));
  return (
    <article
      class="oc-message oc-answer"
      data-phase={answer().phase}
      aria-label={`${author()}, ${timeOfDay(answer().at)}`}
      aria-busy={isWriting()}
    >
      <Show when={answer().reasoning !== ""}>
        <details class="oc-reasoning">
          <summary>Reasoning</summary>
          <p dir="auto">{answer().reasoning}</p>
        </details>
      </Show>
      <For each={answer().tools}>{(tool) => <ToolCall tool={tool} />}</For>
      <Show when={answer().text !== ""}>
        <Markdown text={answer().text} streaming={isWriting()} />
      </Show>
      <Show when={isWriting()}><WaitingNote answer={answer()} connected={props.connected} /></Show>
      <Switch>
        <Match when={answer().phase === "failed" && answer().failure}>
          {(failure) => <AnswerFailure failure={failure()} partial={answer().text !== ""} canRetry={props.canRetry} onRetry={props.onRetry} />}
        </Match>
      </Switch>
      <Show when={!isWriting() && (answer().text !== "" || answer().usage !== undefined || answer().phase === "stopping")}><AnswerMeta answer={answer()} /></Show>
    </article>
  );
}
