import { createMemo, For, Show } from "solid-js";
import type { AnswerRecord } from "@outcrop/solid";
import { formatDuration, formatPlural } from "@outcrop/solid/format";

/** How many answers the chart has room for. */
const BARS = 24;

/** In the drawing's own units. */
const HEIGHT = 120;
const PITCH = 20;
const BAR = 12;

/** How long the latest answers took: the wait for the first token, and the writing after it. */
export function AnswerChart(props: { answers: readonly AnswerRecord[] }) {
  const shown = () => props.answers.slice(-BARS);
  const longestMs = createMemo(() => Math.max(1, ...shown().map((answer) => answer.durationMs)));
  const scaled = (ms: number) => (ms / longestMs()) * HEIGHT;
  return (
    <section class="oc-dash-card oc-dash-chart" aria-labelledby="chart-title">
      <h2 id="chart-title">How long answers took</h2>
      <Show when={shown().length > 0} fallback={<p class="oc-dash-none">The first answer draws the first bar.</p>}>
        <div class="oc-dash-plot">
          <span class="oc-dash-scale oc-muted"><span>{formatDuration(longestMs())}</span><span>0</span></span>
          <svg viewBox={`0 0 ${BARS * PITCH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={summary(shown())}>
            <For each={shown()}>
              {(answer, index) => {
                const waitMs = () => answer.firstTokenMs ?? answer.durationMs;
                const x = () => index() * PITCH + (PITCH - BAR) / 2;
                return (
                  <g data-outcome={answer.outcome}>
                    <title>{describe(answer)}</title>
                    <rect class="oc-dash-bar-writing" x={x()} width={BAR} y={HEIGHT - scaled(answer.durationMs)} height={scaled(answer.durationMs - waitMs())} />
                    <rect class="oc-dash-bar-wait" x={x()} width={BAR} y={HEIGHT - scaled(waitMs())} height={scaled(waitMs())} />
                  </g>
                );
              }}
            </For>
          </svg>
        </div>
        <p class="oc-dash-legend oc-muted">
          <span data-key="wait">to the first token</span>
          <span data-key="writing">writing</span>
          <span data-key="failed">failed</span>
        </p>
      </Show>
    </section>
  );
}

function describe(answer: AnswerRecord): string {
  const wait = answer.firstTokenMs === undefined ? "no token came" : `first token after ${formatDuration(answer.firstTokenMs)}`;
  return `${formatDuration(answer.durationMs)} in all, ${wait}, ${answer.outcome}`;
}

function summary(answers: readonly AnswerRecord[]): string {
  const latest = answers.at(-1);
  return latest === undefined ? "No answers" : `${formatPlural(answers.length, "answer")}. The latest: ${describe(latest)}.`;
}
