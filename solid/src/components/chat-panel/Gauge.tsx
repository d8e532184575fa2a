import type { BudgetState, Usage, UsageTotal } from "@outcrop/client";
import { createMemo, Show } from "solid-js";
import type { Chat } from "../../chat/chat.ts";
import { conversationUsage, estimateInput, estimateUsage, lastCounted, NOTHING_WRITTEN, uncounted, withUsage, written, type Written } from "../../chat/gauge.ts";
import type { Answer } from "../../chat/state.ts";
import { exactCost } from "../../format/numbers.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { BudgetMeter } from "./BudgetMeter.tsx";

/** What the latest answer and the conversation use, counted along while it is written, and what is left of the budget. */
export function Gauge(props: { chat: Chat; budgets: readonly BudgetState[] }) {
  const texts = useTexts();
  const formats = useFormats();
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
  /** The answers that used the cache, which change only when one ends. */
  const cached = createMemo(
    () => state().messages.filter((message) => message.role === "assistant").filter(({ usage }) => usage !== undefined && usage.cacheReadInputTokens + usage.cacheWriteInputTokens > 0),
    [],
    { equals: (before, now) => before.length === now.length && before.every((answer, index) => answer === now[index]) },
  );
  const saved = createMemo(() => cached().reduce((sum, { model, usage }) => sum + ((usage && props.chat.savedBy(model, usage)) ?? 0), 0));
  const total = (): UsageTotal => {
    const shown = latest();
    if (shown === undefined || !shown.isLive) return counted();
    const sum = withUsage(counted(), shown.usage);
    // Without prices nothing can be said of its cost yet, not even that it has none.
    return shown.isPriced ? sum : { ...sum, unpricedTurns: counted().unpricedTurns };
  };
  const tokens = (count: number, isEstimate: boolean) => {
    const words = texts().usage;
    const shown = words.tokens(formats().countOf(count));
    return isEstimate ? words.about(shown) : shown;
  };

  return (
    <Show when={latest() !== undefined || props.budgets.length > 0}>
      <div class="oc-gauge" role="group" aria-label={texts().gauge.label}>
        <Show when={latest()}>
          {(shown) => (
            <>
              <span class="oc-gauge-item" data-live={shown().isLive ? "" : undefined} title={formats().describeUsage(shown().usage)}>
                <span class="oc-gauge-label">{shown().isLive ? texts().gauge.thisAnswer : texts().gauge.lastAnswer}</span>
                <span>{tokens(shown().usage.totalTokens, shown().usage.source === "estimated")}</span>
                <Show when={shown().isPriced}>
                  <data class="oc-gauge-cost" value={dataValue(shown().usage.costNanoUsd)}>{formats().answerCost(shown().usage)}</data>
                </Show>
              </span>
              <span class="oc-gauge-item oc-gauge-total" title={formats().describeTotal(total())}>
                <span class="oc-gauge-label">{state().history.hasMore ? texts().gauge.conversationAsShown : texts().gauge.conversation}</span>
                <span>{tokens(total().totalTokens, total().estimatedTurns > 0)}</span>
                <Show when={shown().isPriced || total().costNanoUsd > 0}>
                  <data class="oc-gauge-cost" value={dataValue(total().costNanoUsd)}>{formats().totalCost(total())}</data>
                </Show>
                <Show when={formats().describeSaving(saved())}>{(words) => <span>{words()}</span>}</Show>
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
