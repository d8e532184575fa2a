import type { BudgetPeriod, BudgetScope } from "@outcrop/client";
import type { Amount } from "../amount.ts";
import { plurals } from "../plurals.ts";

/** Figures with their units; the figures come as the locale writes them. */
export const units = {
  milliseconds: (n: string) => `${n} ms`,
  seconds: (n: string) => `${n} s`,
  minutes: (n: string) => `${n} min`,
  hours: (n: string) => `${n} h`,
  minutesAndSeconds: (minutes: string, seconds: string) => `${minutes} min ${seconds} s`,
  hoursAndMinutes: (hours: string, minutes: string) => `${hours} h ${minutes} min`,
  bytes: plurals("en", { one: "# byte", other: "# bytes" }),
  kilobytes: (n: string) => `${n} KB`,
  megabytes: (n: string) => `${n} MB`,
};

/** Points in time to come, within a sentence. */
export const time = {
  today: (time: string) => `today at ${time}`,
  tomorrow: (time: string) => `tomorrow at ${time}`,
  onDay: (day: string, time: string) => `on ${day} at ${time}`,
};

/** What answers used. */
export const usage = {
  answers: plurals("en", { one: "# answer", other: "# answers" }),
  tokens: plurals("en", { one: "# token", other: "# tokens" }),
  tokensIn: plurals("en", { one: "# token in", other: "# tokens in" }),
  in: (tokens: Amount) => `${tokens} in`,
  out: (tokens: Amount) => `${tokens} out`,
  cached: (tokens: Amount) => `${tokens} of it cached`,
  readFromCache: (tokens: Amount) => `${tokens} read from the cache`,
  writtenToCache: (tokens: Amount) => `${tokens} written to the cache`,
  unpriced: "unpriced",
  noPrice: "no known price for this model",
  about: (figure: string) => `≈ ${figure}`,
  /** A cost that leaves out answers without a price. */
  plusUnpriced: (cost: string, answers: Amount) => `${cost} + ${answers} unpriced`,
  leavesOut: (answers: Amount) => `${answers} without a known price, left out of the cost`,
  inAll: (cost: string) => `${cost} in all`,
  estimated: "estimated",
  notReported: "estimated, not reported by Bedrock",
  estimatedAnswers: (answers: Amount) => `${answers} estimated`,
  pricesOf: (version: string) => `prices of ${version}`,
  cachingSaved: (cost: string) => `caching saved ${cost}`,
  cachingCost: (cost: string) => `caching cost ${cost} more`,
};

export const budgets = {
  names: {
    user: { day: "Your daily budget", month: "Your monthly budget" },
    organization: { day: "Your organisation’s daily budget", month: "Your organisation’s monthly budget" },
    proxy: { day: "Everybody’s daily budget", month: "Everybody’s monthly budget" },
  } satisfies Record<BudgetScope, Record<BudgetPeriod, string>>,
  left: (left: string, limit: string) => `${left} of ${limit} left`,
  usedUp: (limit: string) => `${limit} used up`,
  spent: (amount: string) => `${amount} spent`,
  aside: (amount: string) => `${amount} set aside for answers under way`,
  renews: (when: string) => `renews ${when}`,
  /** All of it in a sentence. */
  whole: (name: string, amounts: string, renews: string) => `${name}: ${amounts}; ${renews}`,
};
