import type { BudgetState } from "@outcrop/client";
import type { Texts } from "../texts/english.ts";
import type { Numbers } from "./numbers.ts";
import type { Times } from "./time.ts";

/** What is neither spent nor set aside; never negative. */
export function budgetLeft({ limit, spent, reserved }: BudgetState): number {
  return Math.max(0, limit - spent - reserved);
}

/** Which part of it is spent or set aside, 0 to 1. */
export function budgetUsed({ limit, spent, reserved }: BudgetState): number {
  return limit === 0 ? 1 : Math.min(1, (spent + reserved) / limit);
}

/** How near its end a budget is: what the colour of its bar says too. */
export function budgetLevel(budget: BudgetState): "plenty" | "low" | "none" {
  if (budgetLeft(budget) === 0) return "none";
  return budgetUsed(budget) >= 0.8 ? "low" : "plenty";
}

/** The one of which the smallest part is left: it is the one that will refuse first. */
export function tightest(budgets: readonly BudgetState[]): BudgetState | undefined {
  return budgets.toSorted((a, b) => budgetUsed(b) - budgetUsed(a))[0];
}

export interface BudgetWords {
  /** `Your daily budget`. */
  budgetName(budget: BudgetState): string;
  /** An amount in what the budget is counted in. */
  budgetAmount(budget: BudgetState, amount: number): string;
  /** `$3.74 of $5.00 left`, or that nothing is. */
  leftWords(budget: BudgetState): string;
  /** `renews tomorrow at 01:00`. */
  renewalWords(budget: BudgetState, now: number): string;
  /** `$1.26 spent`, and what is set aside where something is. */
  spentWords(budget: BudgetState): string[];
  /** All that is known of a budget, in a sentence. */
  describeBudget(budget: BudgetState, now: number): string;
}

export function makeBudgetWords({ budgets: words, usage, common }: Pick<Texts, "budgets" | "usage" | "common">, { countOf, formatCost }: Numbers, { whenWords }: Times): BudgetWords {
  const budgetName = ({ scope, period }: BudgetState) => words.names[scope][period];
  const budgetAmount = ({ unit }: BudgetState, amount: number) => (unit === "tokens" ? usage.tokens(countOf(amount)) : formatCost(amount));
  const renewalWords = (budget: BudgetState, now: number) => words.renews(whenWords(Date.parse(budget.renewsAt), now));

  function leftWords(budget: BudgetState): string {
    const left = budgetLeft(budget);
    const limit = budgetAmount(budget, budget.limit);
    return left === 0 ? words.usedUp(limit) : words.left(budgetAmount(budget, left), limit);
  }

  function spentWords(budget: BudgetState): string[] {
    const aside = budget.reserved > 0 ? [words.aside(budgetAmount(budget, budget.reserved))] : [];
    return [words.spent(budgetAmount(budget, budget.spent)), ...aside];
  }

  return {
    budgetName,
    budgetAmount,
    leftWords,
    renewalWords,
    spentWords,
    describeBudget: (budget, now) => words.whole(budgetName(budget), common.list([leftWords(budget), ...spentWords(budget)]), renewalWords(budget, now)),
  };
}
