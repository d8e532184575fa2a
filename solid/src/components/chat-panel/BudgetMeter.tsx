import type { BudgetState } from "@outcrop/client";
import { Show } from "solid-js";
import { pageClock } from "../../chat/ids.ts";
import { budgetLevel, budgetUsed, tightest } from "../../format/budgets.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";

/** What is left of the budget that is nearest its end, and when it begins anew. */
export function BudgetMeter(props: { budgets: readonly BudgetState[] }) {
  const texts = useTexts();
  const formats = useFormats();
  const all = () => props.budgets.map((budget) => formats().describeBudget(budget, pageClock())).join("\n");
  return (
    <Show when={tightest(props.budgets)}>
      {(budget) => (
        <span class="oc-budget" data-level={budgetLevel(budget())} title={all()}>
          <span
            class="oc-budget-bar"
            role="meter"
            aria-label={formats().budgetName(budget())}
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow={Math.round(budgetUsed(budget()) * 100)}
            aria-valuetext={formats().describeBudget(budget(), pageClock())}
          >
            <span style={{ width: `${budgetUsed(budget()) * 100}%` }} />
          </span>
          <span>{texts().common.list([formats().leftWords(budget()), formats().renewalWords(budget(), pageClock())])}</span>
        </span>
      )}
    </Show>
  );
}
