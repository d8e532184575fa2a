import type { BudgetState, Usage, UsageTotal } from "@outcrop/client";
import { createMemo, Show } from "solid-js";
import type { Chat } from "../../chat/chat.ts";
import { bytesOf, conversationUsage, estimateInput, estimateUsage, lastCounted, uncounted, withUsage } from "../../chat/gauge.ts";
import type { Answer } from "../../chat/state.ts";
import { exactCost, formatPlural } from "../../format/numbers.ts";
import { answerCost, describeTotal, describeUsage, totalCost } from "../../format/usage.ts";
import { BudgetMeter } from "./BudgetMeter.tsx";

/** How much of an answer has been counted: it grows at its end only. */
interface Counted {
  key: string;
  chars: number;
  bytes: number;
}

/** What the latest answer and the conversation use, counted along while it is written, and what is left of the budget. */
export function Gauge(props: { chat: Chat; budgets: readonly BudgetState[] }) {
  const state = () => props.chat.state();
  const live = createMemo(() => uncounted(state()));
  const liveKey = createMemo(() => live()?.key);
  const input = createMemo(() => (liveKey() === undefined ? 0 : estimateInput(state())));
  const written = createMemo<Counted>((before) => count(live(), before), { key: "", chars: 0, bytes: 0 });
  const cost = (answer: Answer, usage: Usage) => props.chat.costOf(answer.model, usage);

  /** The latest answer's usage: the proxy's figures, or an estimate until they come. */
  const latest = createMemo<{ usage: Usage; isLive: boolean; isPriced: boolean } | undefined>(() => {
    const answer = live();
    if (answer === undefined) {
      const usage = lastCounted(state())?.usage;
      return usage && { usage, isLive: false, isPriced: true };
    }
    const usage = estimateUsage(input(), written().bytes);
    const costNanoUsd = cost(answer, usage);
    return { usage: typeof costNanoUsd === "number" ? { ...usage, costNanoUsd } : usage, isLive: true, isPriced: costNanoUsd !== undefined };
  });
  const counted = createMemo(() => conversationUsage(state()));
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
              </span>
            </>
          )}
        </Show>
        <BudgetMeter budgets={props.budgets} />
      </div>
    </Show>
  );
}

/** The bytes of an answer, of which only what came since the last time is counted. */
function count(answer: Answer | undefined, before: Counted): Counted {
  if (answer === undefined) return { key: "", chars: 0, bytes: 0 };
  const text = answer.reasoning.length + answer.text.length;
  const isSame = answer.key === before.key && text >= before.chars && answer.reasoning.length === 0;
  if (!isSame) return { key: answer.key, chars: text, bytes: bytesOf(answer.reasoning) + bytesOf(answer.text) };
  return { key: answer.key, chars: text, bytes: before.bytes + bytesOf(answer.text.slice(before.chars)) };
}

function dataValue(nanoUsd: number | undefined): string {
  return nanoUsd === undefined ? "" : exactCost(nanoUsd);
}
