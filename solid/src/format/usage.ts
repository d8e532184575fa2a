import type { Usage, UsageSum, UsageTotal } from "@outcrop/client";
import type { Texts } from "../texts/english.ts";
import type { Numbers } from "./numbers.ts";

/** All input of a usage, tokens read from and written to the cache included. */
export function inputTokens(usage: Pick<Usage, "inputTokens" | "cacheReadInputTokens" | "cacheWriteInputTokens">): number {
  return usage.inputTokens + usage.cacheReadInputTokens + usage.cacheWriteInputTokens;
}

export interface UsageWords {
  /** The cost of one answer: `$0.0024`, `≈ $0.0024` where it is estimated, `unpriced` where the model has no known price. */
  answerCost(usage: Usage): string;
  /** The cost of a total, marked where parts of it are estimates or are missing for want of a price. */
  totalCost(total: UsageTotal): string;
  /** The cost of a sum of the proxy's, marked likewise. */
  sumCost(sum: UsageSum): string;
  /** The same without what it leaves out, for where that is said beside it. */
  knownCost(sum: UsageSum): string;
  /** A sentence with everything that is known about a total. */
  describeTotal(total: UsageTotal): string;
  /** A sentence with everything that is known about a usage, for a tooltip and for screen readers. */
  describeUsage(usage: Usage): string;
  /** What prompt caching saved, in nano-dollars, in words; undefined where that is nothing, or not known. */
  describeSaving(nanoUsd: number | undefined): string | undefined;
}

export function makeUsageWords({ usage: words, common }: Pick<Texts, "usage" | "common">, { countOf, wholeOf, formatCost, formatExactCost }: Numbers): UsageWords {
  const aboutIf = (isEstimate: boolean, cost: string) => (isEstimate ? words.about(cost) : cost);
  const plus = (cost: string, unpriced: number) => (unpriced > 0 ? words.plusUnpriced(cost, countOf(unpriced)) : cost);

  function knownCost({ calls, unpricedCalls, estimatedCalls, usage }: UsageSum): string {
    if (calls > 0 && (usage.costNanoUsd === undefined || unpricedCalls === calls)) return words.unpriced;
    return aboutIf(estimatedCalls > 0, formatCost(usage.costNanoUsd ?? 0));
  }

  return {
    answerCost(usage) {
      if (usage.totalTokens === 0) return formatCost(0);
      if (usage.costNanoUsd === undefined) return words.unpriced;
      return aboutIf(usage.source === "estimated", formatCost(usage.costNanoUsd));
    },
    totalCost(total) {
      if (total.turns > 0 && total.unpricedTurns === total.turns) return words.unpriced;
      return plus(aboutIf(total.estimatedTurns > 0, formatCost(total.costNanoUsd)), total.unpricedTurns);
    },
    sumCost: (sum) => plus(knownCost(sum), sum.unpricedCalls < sum.calls ? sum.unpricedCalls : 0),
    knownCost,
    describeTotal(total) {
      const parts = [words.answers(countOf(total.turns)), words.tokensIn(wholeOf(inputTokens(total))), words.out(wholeOf(total.outputTokens))];
      if (total.unpricedTurns < total.turns || total.turns === 0) parts.push(words.inAll(formatExactCost(total.costNanoUsd)));
      if (total.unpricedTurns > 0) parts.push(words.leavesOut(wholeOf(total.unpricedTurns)));
      if (total.estimatedTurns > 0) parts.push(words.estimatedAnswers(wholeOf(total.estimatedTurns)));
      return common.list(parts);
    },
    describeUsage(usage) {
      const parts = [words.tokensIn(countOf(usage.inputTokens)), words.out(countOf(usage.outputTokens))];
      if (usage.cacheReadInputTokens > 0) parts.push(words.readFromCache(countOf(usage.cacheReadInputTokens)));
      if (usage.cacheWriteInputTokens > 0) parts.push(words.writtenToCache(countOf(usage.cacheWriteInputTokens)));
      parts.push(usage.costNanoUsd === undefined ? words.noPrice : words.inAll(formatCost(usage.costNanoUsd)));
      if (usage.source === "estimated") parts.push(words.notReported);
      if (usage.priceVersion !== undefined) parts.push(words.pricesOf(usage.priceVersion));
      return common.list(parts);
    },
    describeSaving(nanoUsd) {
      if (nanoUsd === undefined || nanoUsd === 0) return undefined;
      return nanoUsd > 0 ? words.cachingSaved(formatCost(nanoUsd)) : words.cachingCost(formatCost(-nanoUsd));
    },
  };
}
