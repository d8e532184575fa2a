import type { BudgetState } from "@outcrop/client";
import { createSignal, type Accessor } from "solid-js";
import type { Client } from "./client.ts";

/** The longest wait that a browser's timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The budgets that hold for this person. Nothing is asked for until `refresh()`, and then again when one begins anew. */
export function makeBudgets(options: { client: Client; clock: () => number }): {
  budgets: Accessor<readonly BudgetState[]>;
  refresh: () => Promise<void>;
  dispose: () => void;
} {
  const { client, clock } = options;
  const [budgets, setBudgets] = createSignal<readonly BudgetState[]>([]);
  let latest = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function refresh(): Promise<void> {
    const request = ++latest;
    const now = clock();
    try {
      // Budgets come with every report; of its rows none are wanted. With both ends named it does not matter what the proxy's clock says.
      const [from, to] = [new Date(now - 1).toISOString(), new Date(now).toISOString()];
      const report = await client.usageReport({ from, to, groupBy: "model" });
      if (request === latest) show(report.budgets);
    } catch {
      // What was known last stays: a meter is no place for errors, and whatever is wrong is said where a message is sent.
    }
  }

  function show(found: readonly BudgetState[]): void {
    setBudgets(found);
    clearTimeout(timer);
    const waits = found.map((budget) => Date.parse(budget.renewsAt) - clock()).filter((ms) => ms > 0);
    if (waits.length > 0) timer = setTimeout(() => void refresh(), Math.min(...waits, MAX_TIMER_MS));
  }

  return {
    budgets,
    refresh,
    dispose() {
      latest += 1;
      clearTimeout(timer);
    },
  };
}
