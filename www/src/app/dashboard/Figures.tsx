import type { PageUsage } from "@outcrop/client";
import { Show, type JSX } from "solid-js";
import { tokensPerSecond, type AnswerRecord } from "@outcrop/solid";
import { formatCost, formatCount, formatDuration, formatPlural, inputTokens, median, totalCost } from "@outcrop/solid/format";

/** The four figures at the top. */
export function Figures(props: { usage: PageUsage; answers: readonly AnswerRecord[] }) {
  const firstTokenMs = () => median(props.answers.flatMap((answer) => answer.firstTokenMs ?? []));
  const pace = () => median(props.answers.flatMap((answer) => tokensPerSecond(answer) ?? []));
  const priced = () => props.usage.turns - props.usage.unpricedTurns;
  return (
    <dl class="oc-dash-figures">
      <Figure label="Answers" value={formatCount(props.usage.turns)}>
        {formatPlural(Object.keys(props.usage.bySession).length, "conversation")}
      </Figure>
      <Figure label="Tokens" value={formatCount(props.usage.totalTokens)}>
        {formatCount(inputTokens(props.usage))} in, {formatCount(props.usage.outputTokens)} out
      </Figure>
      <Figure label="Cost" value={totalCost(props.usage)}>
        <Show when={priced() > 0} fallback="Nothing spent yet">{formatCost(props.usage.costNanoUsd / priced())} an answer</Show>
      </Figure>
      <Figure label="Time to first token" value={firstTokenMs() === undefined ? "–" : formatDuration(firstTokenMs() ?? 0)}>
        <Show when={pace()} fallback="Median of this page">{(tokens) => <>Median, then {formatCount(Math.round(tokens()))} tokens/s</>}</Show>
      </Figure>
    </dl>
  );
}

function Figure(props: { label: string; value: string; children: JSX.Element }) {
  return (
    <div class="oc-dash-card oc-dash-figure">
      <dt>{props.label}</dt>
      <dd>
        <span class="oc-dash-value">{props.value}</span>
        <span class="oc-muted">{props.children}</span>
      </dd>
    </div>
  );
}
