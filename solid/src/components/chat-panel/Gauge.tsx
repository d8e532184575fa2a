import type { BudgetState, Usage, UsageTotal } from "@outcrop/client";
import { createMemo, Show } from "solid-js";
import type { Chat } from "../../chat/chat.ts";
import { conversationUsage, estimateInput, estimateUsage, lastCounted, NOTHING_WRITTEN, uncounted, withUsage, written, type Written } from "../../chat/gauge.ts";
import type { Answer } from "../../chat/state.ts";
import { exactCost, formatPlural } from "../../format/numbers.ts";
import { answerCost, describeSaving, describeTotal, describeUsage, totalCost } from "../../format/usage.ts";
import { BudgetMeter } from "./BudgetMeter.tsx";

/** What the latest answer and the conversation use, counted along while it is written, and what is left of the budget. */
export function Gauge(props: { chat: Chat; budgets: readonly BudgetState[] }) {
  const state = () => props.chat.state();
  const live = createMemo(() => uncounted(state()));
  const liveKey = createMemo(() => live()?.key);
  const input = createMemo(() => (liveKey() === undefined ? 0 : estimateInput(state())));
  const output = createMemo<Written>((before) => {
    const answer = live();
    return answer === undefined ? NOTHING_WRITTEN : written(answer, before);
  }, NOTHING_WRITTEN);
  const cost = (answer: Answer, usage: Usage) => props.chat.costOf(answer.model, usage);

  /** The latest answer's usage: the proxy's figures, or an estimate until they come. */
  const latest = createMemo<{ usage: Usage; isLive: boolean; isPriced: boolean } | undefined>(() => {
    const answer = live();
    if (answer === undefined) {
      const usage = lastCounted(state())?.usage;
      return usage && { usage, isLive: false, isPriced: true };
    }
    const usage = estimateUsage(input(), output().bytes);
    const costNanoUsd = cost(answer, usage);
    return { usage: typeof costNanoUsd === "number" ? { ...usage, costNanoUsd } : usage, isLive: true, isPriced: costNanoUsd !== undefined };
  });
  const counted = createMemo(() => conversationUsage(state()));
  const saved = createMemo(() => {
    const answers = state().messages.filter((message) => message.role === "assistant");
    return answers.reduce((sum, { model, usage }) => sum + (usage === undefined ? 0 : (props.chat.savedBy(model, usage) ?? 0)), 0);
  });
  const total = (): UsageTotal => {
    const shown = latest();
    if (shown === undefined || !shown.isLive) return counted();
    const sum = withUsage(counted(), shown.usage);
    // Without prices nothing can be said of its cost yet, not even that it has none.
    return shown.isPriced ? sum : { ...sum, unpricedTurns: counted().unpricedTurns };
  };
  const about = (isEstimate: boolean) => (isEstimate ? "≈ " : "");

  return (
    <Show when={latest() !== undefined || props.budgets.length > 0}>
      <div class="oc-gauge" role="group" aria-label="Usage">
        <Show when={latest()}>
          {(shown) => (
            <>
              <span class="oc-gauge-item" data-live={shown().isLive ? "" : undefined} title={describeUsage(shown().usage)}>
                <span class="oc-gauge-label">{shown().isLive ? "This answer" : "Last answer"}</span>
                <span>{about(shown().usage.source === "estimated")}{formatPlural(shown().usage.totalTokens, "token")}</span>
                <Show when={shown().isPriced}>
                  <data class="oc-gauge-cost" value={dataValue(shown().usage.costNanoUsd)}>{answerCost(shown().usage)}</data>
                </Show>
              </span>
              <span class="oc-gauge-item oc-gauge-total" title={describeTotal(total())}>
                <span class="oc-gauge-label">{state().history.hasMore ? "Conversation, as far as shown" : "Conversation"}</span>
                <span>{about(total().estimatedTurns > 0)}{formatPlural(total().totalTokens, "token")}</span>
                <Show when={shown().isPriced || total().costNanoUsd > 0}>
                  <data class="oc-gauge-cost" value={dataValue(total().costNanoUsd)}>{totalCost(total())}</data>
                </Show>
                <Show when={describeSaving(saved())}>{(words) => <span>{words()}</span>}</Show>
              </span>
            </>
          )}
        </Show>
        <BudgetMeter budgets={props.budgets} />
      </div>
    </Show>
  );
}

function dataValue(nanoUsd: number | undefined): string {
  return nanoUsd === undefined ? "" : exactCost(nanoUsd);
}
