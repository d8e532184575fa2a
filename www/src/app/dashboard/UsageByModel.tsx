import type { PageUsage } from "@outcrop/client";
import { For, Show } from "solid-js";
import { formatPlural, modelName, totalCost } from "@outcrop/solid/format";

/** Which model wrote how much, the most expensive first. */
export function UsageByModel(props: { usage: PageUsage }) {
  const rows = () => Object.entries(props.usage.byModel).sort(([, a], [, b]) => b.costNanoUsd - a.costNanoUsd || b.totalTokens - a.totalTokens);
  const most = () => Math.max(1, ...rows().map(([, total]) => total.totalTokens));
  return (
    <section class="oc-dash-card oc-dash-models" aria-labelledby="by-model-title">
      <h2 id="by-model-title">By model</h2>
      <Show when={rows().length > 0} fallback={<p class="oc-dash-none">No model has answered yet.</p>}>
        <ul>
          <For each={rows()}>
            {([model, total]) => (
              <li>
                <span class="oc-dash-row"><span title={model}>{modelName(model)}</span><span>{totalCost(total)}</span></span>
                <span class="oc-dash-track" aria-hidden="true"><span style={{ width: `${(total.totalTokens / most()) * 100}%` }} /></span>
                <span class="oc-muted">{formatPlural(total.turns, "answer")}, {formatPlural(total.totalTokens, "token")}</span>
              </li>
            )}
          </For>
        </ul>
      </Show>
    </section>
  );
}
