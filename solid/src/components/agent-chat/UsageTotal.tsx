import type { PageUsage } from "@outcrop/client";
import { formatCount, formatPlural } from "../../format/numbers.ts";
import { inputTokens, totalCost } from "../../format/usage.ts";

/** What this page has used so far. */
export function UsageTotal(props: { usage: PageUsage }) {
  const title = () =>
    `This page: ${formatPlural(props.usage.turns, "answer")}, ${formatCount(inputTokens(props.usage))} tokens in, ${formatCount(props.usage.outputTokens)} out`;
  return (
    <span class="oc-total" title={title()}>
      <span class="oc-hidden">Used by this page: </span>
      <span class="oc-total-tokens">{formatPlural(props.usage.totalTokens, "token")}</span>
      <span class="oc-total-cost">{totalCost(props.usage)}</span>
    </span>
  );
}
