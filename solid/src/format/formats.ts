import type { Texts } from "../texts/english.ts";
import { common } from "../texts/english/common.ts";
import { budgets, time, units, usage } from "../texts/english/figures.ts";
import { makeBudgetWords, type BudgetWords } from "./budgets.ts";
import { makeNumbers, type Numbers } from "./numbers.ts";
import { makeTimes, type Times } from "./time.ts";
import { makeUsageWords, type UsageWords } from "./usage.ts";

/** The texts that belong to figures. */
export type FigureTexts = Pick<Texts, "common" | "units" | "time" | "usage" | "budgets">;

/** How figures are written: by a locale, and with the words that belong to them. */
export interface Formats extends Numbers, Times, UsageWords, BudgetWords {
  /** Names in the order in which people look for them. */
  compare(a: string, b: string): number;
}

/** `locale` is a BCP 47 tag. Without it numbers are written as in `en-US`, and dates as the browser is set. */
export function makeFormats(locale?: string, texts: FigureTexts = { common, units, time, usage, budgets }): Formats {
  const numbers = makeNumbers(locale ?? "en-US", texts.units);
  const times = makeTimes(locale, texts.time);
  const { compare } = new Intl.Collator(locale);
  return { ...numbers, ...times, ...makeUsageWords(texts, numbers), ...makeBudgetWords(texts, numbers, times), compare };
}
