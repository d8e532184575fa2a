import type { StopReason } from "@outcrop/client";
import { Show } from "solid-js";
import type { Answer } from "../../chat/state.ts";
import { modelName } from "../../format/models.ts";
import { exactCost } from "../../format/numbers.ts";
import { inputTokens } from "../../format/usage.ts";
import type { Texts } from "../../texts/english.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { CopyButton } from "../common/CopyButton.tsx";
import { usePanel } from "./panel.ts";

/** The small line under an answer: copy, how it ended, what it used. */
export function AnswerMeta(props: { answer: Answer }) {
  const panel = usePanel();
  const texts = useTexts();
  const formats = useFormats();
  const words = () => texts().usage;
  const count = (tokens: number) => formats().countOf(tokens);
  const saving = () => (props.answer.usage === undefined ? undefined : formats().describeSaving(panel.savedBy(props.answer.model, props.answer.usage)));
  const duration = () => {
    const timing = props.answer.timing;
    return timing?.endedAt === undefined ? undefined : formats().formatDuration(timing.endedAt - timing.sentAt);
  };
  return (
    <footer class="oc-meta">
      <Show when={props.answer.text !== ""}><CopyButton text={() => props.answer.text.trim()} label={texts().answer.copy} /></Show>
      <Show when={endNote(props.answer, texts().answer)}>{(note) => <span class="oc-badge">{note()}</span>}</Show>
      <Show when={props.answer.phase === "stopping"}><span>{texts().answer.counting}</span></Show>
      <Show when={props.answer.usage}>
        {(usage) => (
          <span class="oc-usage" title={formats().describeUsage(usage())}>
            <span>{words().in(count(inputTokens(usage())))}</span>
            <Show when={usage().cacheReadInputTokens > 0}><span>{words().cached(count(usage().cacheReadInputTokens))}</span></Show>
            <span>{words().out(count(usage().outputTokens))}</span>
            <data class="oc-cost" value={usage().costNanoUsd === undefined ? "" : exactCost(usage().costNanoUsd ?? 0)}>{formats().answerCost(usage())}</data>
            <Show when={usage().source === "estimated"}><span>{words().estimated}</span></Show>
            <Show when={saving()}>{(text) => <span>{text()}</span>}</Show>
          </span>
        )}
      </Show>
      <Show when={props.answer.model}>{(model) => <span class="oc-model" title={model()}>{modelName(model())}</span>}</Show>
      <Show when={duration()}>{(text) => <span>{text()}</span>}</Show>
    </footer>
  );
}

/** How an answer ended, where that is not simply its end. */
function endNote(answer: Answer, { stopped, ends }: Texts["answer"]): string | undefined {
  if (answer.phase === "stopped" || answer.phase === "stopping" || answer.stopReason === "cancelled") return stopped;
  return answer.stopReason === undefined ? undefined : (ends as Partial<Record<StopReason, string>>)[answer.stopReason];
}
