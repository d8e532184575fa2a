import { For, Show } from "solid-js";
import { tokensPerSecond, type AnswerRecord } from "@outcrop/solid";
import { answerCost, formatCount, formatDuration, inputTokens, modelName, timeOfDay } from "@outcrop/solid/format";

/** How many rows the table has. */
const ROWS = 10;

const OUTCOMES: Record<AnswerRecord["outcome"], string> = { complete: "Complete", stopped: "Stopped", failed: "Failed" };

/** The latest answers of this page, one a row. */
export function RecentAnswers(props: { answers: readonly AnswerRecord[] }) {
  const rows = () => props.answers.slice(-ROWS).reverse();
  return (
    <section class="oc-dash-card oc-dash-recent" aria-labelledby="recent-title">
      <h2 id="recent-title">Latest answers</h2>
      <Show when={rows().length > 0} fallback={<p class="oc-dash-none">Ask Claude something: each answer gets a row with what it took and cost.</p>}>
        <div class="oc-dash-scroll" role="group" aria-labelledby="recent-title" tabindex="0">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th><th scope="col">Model</th><th scope="col">Outcome</th><th scope="col">First token</th>
                <th scope="col">In all</th><th scope="col">Tokens/s</th><th scope="col">In</th><th scope="col">Out</th><th scope="col">Cost</th>
              </tr>
            </thead>
            <tbody>
              <For each={rows()}>
                {(answer) => (
                  <tr data-outcome={answer.outcome}>
                    <td>{timeOfDay(answer.at)}</td>
                    <td>{answer.model === undefined ? "–" : modelName(answer.model)}</td>
                    <td><span class="oc-dash-outcome">{OUTCOMES[answer.outcome]}</span></td>
                    <td>{answer.firstTokenMs === undefined ? "–" : formatDuration(answer.firstTokenMs)}</td>
                    <td>{formatDuration(answer.durationMs)}</td>
                    <td>{pace(answer)}</td>
                    <td>{answer.usage === undefined ? "–" : formatCount(inputTokens(answer.usage))}</td>
                    <td>{answer.usage === undefined ? "–" : formatCount(answer.usage.outputTokens)}</td>
                    <td>{answer.usage === undefined ? "–" : answerCost(answer.usage)}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
      </Show>
    </section>
  );
}

function pace(answer: AnswerRecord): string {
  const tokens = tokensPerSecond(answer);
  return tokens === undefined ? "–" : formatCount(Math.round(tokens));
}
