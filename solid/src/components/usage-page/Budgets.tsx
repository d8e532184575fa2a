import type { BudgetState } from "@outcrop/client";
import { createUniqueId, For, Show } from "solid-js";
import { pageClock } from "../../chat/ids.ts";
import { budgetLevel, budgetUsed } from "../../format/budgets.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";

/** Every budget that holds for this person: spent, set aside, left, and when it begins anew. */
export function Budgets(props: { budgets: readonly BudgetState[] }) {
  const texts = useTexts();
  const titleId = createUniqueId();
  return (
    <Show when={props.budgets.length > 0}>
      <section class="oc-dash-card oc-usage-budgets" aria-labelledby={titleId}>
        <h2 id={titleId}>{texts().usagePage.budgets}</h2>
        <ul>
          <For each={props.budgets}>{(budget) => <li><Budget budget={budget} /></li>}</For>
        </ul>
      </section>
    </Show>
  );
}

function Budget(props: { budget: BudgetState }) {
  const texts = useTexts();
  const formats = useFormats();
  const share = (amount: number) => `${props.budget.limit === 0 ? 0 : Math.min(100, (amount / props.budget.limit) * 100)}%`;
  const now = pageClock();
  return (
    <>
      <span class="oc-usage-row"><span>{formats().budgetName(props.budget)}</span><span class="oc-usage-left">{formats().leftWords(props.budget)}</span></span>
      <span
        class="oc-usage-bar"
        data-level={budgetLevel(props.budget)}
        role="meter"
        aria-label={formats().budgetName(props.budget)}
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow={Math.round(budgetUsed(props.budget) * 100)}
        aria-valuetext={formats().describeBudget(props.budget, now)}
      >
        <span style={{ width: share(props.budget.spent) }} />
        <span data-kind="reserved" style={{ width: share(props.budget.reserved) }} />
      </span>
      <span class="oc-muted">
        {texts().common.list([...formats().spentWords(props.budget), formats().renewalWords(props.budget, now)])}
      </span>
    </>
  );
}
