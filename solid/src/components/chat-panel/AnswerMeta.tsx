import type { StopReason } from "@outcrop/client";
import { Show } from "solid-js";
import type { Answer } from "../../chat/state.ts";
import { modelName } from "../../format/models.ts";
import { exactCost, formatCount, formatDuration } from "../../format/numbers.ts";
import { answerCost, describeSaving, describeUsage, inputTokens } from "../../format/usage.ts";
import { CopyButton } from "../common/CopyButton.tsx";
import { usePanel } from "./panel.ts";

/** The small line under an answer: copy, how it ended, what it used. */
export function AnswerMeta(props: { answer: Answer }) {
  const panel = usePanel();
  const saving = () => (props.answer.usage === undefined ? undefined : describeSaving(panel.savedBy(props.answer.model, props.answer.usage)));
  const duration = () => {
    const timing = props.answer.timing;
    return timing?.endedAt === undefined ? undefined : formatDuration(timing.endedAt - timing.sentAt);
  };
  return (
    <footer class="oc-meta">
      <Show when={props.answer.text !== ""}><CopyButton text={() => props.answer.text.trim()} label="Copy answer" /></Show>
      <Show when={endNote(props.answer)}>{(note) => <span class="oc-badge">{note()}</span>}</Show>
      <Show when={props.answer.phase === "stopping"}><span>counting what it used…</span></Show>
      <Show when={props.answer.usage}>
        {(usage) => (
          <span class="oc-usage" title={describeUsage(usage())}>
            <span>{formatCount(inputTokens(usage()))} in</span>
            <Show when={usage().cacheReadInputTokens > 0}><span>{formatCount(usage().cacheReadInputTokens)} of it cached</span></Show>
            <span>{formatCount(usage().outputTokens)} out</span>
            <data class="oc-cost" value={usage().costNanoUsd === undefined ? "" : exactCost(usage().costNanoUsd ?? 0)}>{answerCost(usage())}</data>
            <Show when={usage().source === "estimated"}><span>estimated</span></Show>
            <Show when={saving()}>{(words) => <span>{words()}</span>}</Show>
          </span>
        )}
      </Show>
      <Show when={props.answer.model}>{(model) => <span class="oc-model" title={model()}>{modelName(model())}</span>}</Show>
      <Show when={duration()}>{(text) => <span>{text()}</span>}</Show>
    </footer>
  );
}

/** How an answer ended, where that is not simply its end. */
function endNote(answer: Answer): string | undefined {
  if (answer.phase === "stopped" || answer.phase === "stopping") return "Stopped";
  return answer.stopReason === undefined ? undefined : END_NOTES[answer.stopReason];
}

const END_NOTES: Record<StopReason, string | undefined> = {
  end_turn: undefined,
  stop_sequence: undefined,
  other: undefined,
  cancelled: "Stopped",
  tool_use: "Asks for a tool",
  tool_limit: undefined,
  max_tokens: "Cut at the token limit",
  guardrail_intervened: "Ended by a guardrail",
  content_filtered: "Ended by a content filter",
  model_context_window_exceeded: "Ended where the context was full",
};
