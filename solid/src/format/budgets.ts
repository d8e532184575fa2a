import type { BudgetScope, BudgetState } from "@outcrop/client";
import { formatCost, formatPlural } from "./numbers.ts";
import { whenWords } from "./time.ts";

const WHOSE: Record<BudgetScope, string> = { user: "Your", organization: "Your organisation’s", proxy: "Everybody’s" };

/** `Your daily budget`. */
export function budgetName({ scope, period }: BudgetState): string {
  return `${WHOSE[scope]} ${period === "day" ? "daily" : "monthly"} budget`;
}

/** An amount in what the budget is counted in. */
export function budgetAmount({ unit }: BudgetState, amount: number): string {
  return unit === "tokens" ? formatPlural(amount, "token") : formatCost(amount);
}

/** What is neither spent nor set aside; never negative. */
export function budgetLeft({ limit, spent, reserved }: BudgetState): number {
  return Math.max(0, limit - spent - reserved);
}

/** Which part of it is spent or set aside, 0 to 1. */
export function budgetUsed({ limit, spent, reserved }: BudgetState): number {
  return limit === 0 ? 1 : Math.min(1, (spent + reserved) / limit);
}

/** `$3.74 of $5.00 left`, or that nothing is. */
export function leftWords(budget: BudgetState): string {
  const left = budgetLeft(budget);
  return left === 0 ? `${budgetAmount(budget, budget.limit)} used up` : `${budgetAmount(budget, left)} of ${budgetAmount(budget, budget.limit)} left`;
}

/** `renews tomorrow at 01:00`. */
export function renewalWords(budget: BudgetState, now: number): string {
  return `renews ${whenWords(Date.parse(budget.renewsAt), now)}`;
}

/** All that is known of a budget, in a sentence. */
export function describeBudget(budget: BudgetState, now: number): string {
  const aside = budget.reserved > 0 ? `, ${budgetAmount(budget, budget.reserved)} set aside for answers under way` : "";
  return `${budgetName(budget)}: ${leftWords(budget)}, ${budgetAmount(budget, budget.spent)} spent${aside}; ${renewalWords(budget, now)}`;
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
