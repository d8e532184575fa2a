/**
 * How the components write costs, counts, durations, models and budgets, for pages that write such figures themselves: in English, or by
 * `makeFormats(locale, texts)` in any language.
 */
import { makeFormats } from "./format/formats.ts";

export { budgetLeft, budgetLevel, budgetUsed, tightest } from "./format/budgets.ts";
export { makeFormats, type FigureTexts, type Formats } from "./format/formats.ts";
export { modelName } from "./format/models.ts";
export { exactCost, median, secondsUntil } from "./format/numbers.ts";
export { inputTokens } from "./format/usage.ts";

const inEnglish = makeFormats();
export const { formatCost, formatExactCost, formatPrice, formatCount, formatWhole, formatDuration, formatWait, formatBytes } = inEnglish;
export const { timeOfDay, shortDate, whenWords } = inEnglish;
export const { answerCost, totalCost, sumCost, knownCost, describeTotal, describeUsage, describeSaving } = inEnglish;
export const { budgetName, budgetAmount, leftWords, renewalWords, describeBudget } = inEnglish;

/** A count with its English noun: `1 answer`, `2 answers`. */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}
