import type { Usage, UsageSum, UsageTotal } from "@outcrop/client";
import { exactCost, formatCost, formatCount, formatPlural, formatWhole } from "./numbers.ts";

/** The cost of one answer: `$0.0024`, `≈ $0.0024` where it is estimated, `unpriced` where the model has no known price. */
export function answerCost(usage: Usage): string {
  if (usage.totalTokens === 0) return formatCost(0);
  if (usage.costNanoUsd === undefined) return "unpriced";
  return `${usage.source === "estimated" ? "≈ " : ""}${formatCost(usage.costNanoUsd)}`;
}

/** The cost of a total, marked where parts of it are estimates or are missing for want of a price. */
export function totalCost(total: UsageTotal): string {
  if (total.turns > 0 && total.unpricedTurns === total.turns) return "unpriced";
  const cost = `${total.estimatedTurns > 0 ? "≈ " : ""}${formatCost(total.costNanoUsd)}`;
  return total.unpricedTurns > 0 ? `${cost} + ${formatCount(total.unpricedTurns)} unpriced` : cost;
}

/** The cost of a sum of the proxy's, marked likewise. */
export function sumCost(sum: UsageSum): string {
  const { calls, unpricedCalls } = sum;
  return unpricedCalls > 0 && unpricedCalls < calls ? `${knownCost(sum)} + ${formatCount(unpricedCalls)} unpriced` : knownCost(sum);
}

/** The same without what it leaves out, for where that is said beside it. */
export function knownCost({ calls, unpricedCalls, estimatedCalls, usage }: UsageSum): string {
  if (calls > 0 && (usage.costNanoUsd === undefined || unpricedCalls === calls)) return "unpriced";
  return `${estimatedCalls > 0 ? "≈ " : ""}${formatCost(usage.costNanoUsd ?? 0)}`;
}

/** All input of a usage, tokens read from and written to the cache included. */
export function inputTokens(usage: Pick<Usage, "inputTokens" | "cacheReadInputTokens" | "cacheWriteInputTokens">): number {
  return usage.inputTokens + usage.cacheReadInputTokens + usage.cacheWriteInputTokens;
}

/** A sentence with everything that is known about a total. */
export function describeTotal(total: UsageTotal): string {
  const parts = [formatPlural(total.turns, "answer"), `${formatWhole(inputTokens(total))} tokens in`, `${formatWhole(total.outputTokens)} out`];
  if (total.unpricedTurns < total.turns || total.turns === 0) parts.push(`$${exactCost(total.costNanoUsd)} in all`);
  if (total.unpricedTurns > 0) parts.push(`${formatWhole(total.unpricedTurns)} without a known price, left out of the cost`);
  if (total.estimatedTurns > 0) parts.push(`${formatWhole(total.estimatedTurns)} estimated`);
  return parts.join(", ");
}

/** A sentence with everything that is known about a usage, for a tooltip and for screen readers. */
export function describeUsage(usage: Usage): string {
  const parts = [`${formatCount(usage.inputTokens)} tokens in`, `${formatCount(usage.outputTokens)} out`];
  if (usage.cacheReadInputTokens > 0) parts.push(`${formatCount(usage.cacheReadInputTokens)} read from the cache`);
  if (usage.cacheWriteInputTokens > 0) parts.push(`${formatCount(usage.cacheWriteInputTokens)} written to the cache`);
  parts.push(usage.costNanoUsd === undefined ? "no known price for this model" : `${formatCost(usage.costNanoUsd)} in all`);
  if (usage.source === "estimated") parts.push("estimated, not reported by Bedrock");
  if (usage.priceVersion !== undefined) parts.push(`prices of ${usage.priceVersion}`);
  return parts.join(", ");
}

/** What prompt caching saved, in nano-dollars, in words; undefined where that is nothing, or not known. */
export function describeSaving(nanoUsd: number | undefined): string | undefined {
  if (nanoUsd === undefined || nanoUsd === 0) return undefined;
  return nanoUsd > 0 ? `caching saved ${formatCost(nanoUsd)}` : `caching cost ${formatCost(-nanoUsd)} more`;
}
