import type { ModelPrice, Usage } from "@outcrop/client";
import { createEffect, createMemo, on, Show } from "solid-js";
import type { Client } from "../../chat/client.ts";
import type { Conversations } from "../../chat/conversations.ts";
import { headline } from "../../chat/failure.ts";
import { savedByCaching } from "../../chat/gauge.ts";
import { pageClock } from "../../chat/ids.ts";
import { exactCost, formatPlural, formatWhole } from "../../format/numbers.ts";
import { describeSaving, inputTokens, knownCost } from "../../format/usage.ts";
import { Budgets } from "./Budgets.tsx";
import { Charts } from "./Charts.tsx";
import { Controls } from "./Controls.tsx";
import { spanName } from "./range.ts";
import { makeReports, scopesOf, type Report } from "./report.ts";
import { makeTitles } from "./titles.ts";
import { UsageTable } from "./UsageTable.tsx";

export interface UsagePageProps {
  client: Client;
  conversations: Conversations;
  /** The address of a conversation, where the page around this one has such: the table links there. */
  sessionHref?: ((sessionId: string) => string) | undefined;
  /** Milliseconds since the epoch. */
  clock?: (() => number) | undefined;
}

/** What the proxy has counted, of all pages and of the past: over time, by what a person chooses, with the budgets. */
export function UsagePage(props: UsagePageProps) {
  const clock = props.clock ?? pageClock;
  const reports = makeReports({ client: props.client, choice: { range: "7d", group: "model", scope: "own" }, clock });
  const titles = makeTitles(props.client);
  const state = reports.state;
  const report = createMemo(() => state().report);
  /** What caching saved by today's prices, of rows that are models; undefined of others, whose tokens may be of several models. */
  const saved = ({ choice, table }: Report): number | undefined => {
    const models = props.conversations.server()?.models;
    if (choice.group !== "model" || models === undefined) return undefined;
    const cost = (price: ModelPrice, usage: Usage) => props.client.costNanoUsd(price, usage);
    return table.rows.reduce((sum, { key, usage }) => sum + (savedByCaching(cost, models.find(({ model }) => model === key)?.price, usage) ?? 0), 0);
  };
  const isEmpty = () => report()?.table.total.calls === 0;

  void reports.reload();
  // What was answered on this page meanwhile counts too.
  createEffect(on(() => props.conversations.answers(), () => void reports.reload(), { defer: true }));
  createEffect(on(report, (now) => {
    if (now?.choice.group === "session" && now.choice.scope === "own") void titles.find(now.table.rows.map((row) => row.key));
  }));

  return (
    <div class="oc-dash oc-usage-page">
      <div class="oc-dash-head">
        <h1>Usage</h1>
        <p class="oc-muted">What the proxy has counted, of this page and all others. Days are UTC.</p>
      </div>
      <Controls choice={state().choice} scopes={scopesOf(props.conversations.server())} isLoading={state().phase === "loading"} onChoose={(choice) => void reports.load(choice)} onReload={() => void reports.reload()} />
      <p class="oc-hidden" role="status">{state().phase === "loading" ? "Loading the usage…" : ""}</p>
      <Show when={state().phase === "failed" && state().failure}>
        {(failure) => (
          <div class="oc-notice oc-notice-error" role="alert">
            <p><strong>{headline(failure().code)}</strong> {failure().message}</p>
            <button type="button" class="oc-button" onClick={() => void reports.reload()}>Try again</button>
          </div>
        )}
      </Show>
      <Show when={report()} fallback={<Show when={state().phase === "loading"}><Skeleton /></Show>}>
        {(found) => (
          <>
            <Show when={!isEmpty()} fallback={<Nothing />}>
              <Totals report={found()} saved={saved(found())} />
              <Charts report={found()} />
            </Show>
            <Budgets budgets={found().table.budgets} />
            <Show when={!isEmpty()}><UsageTable report={found()} titleOf={found().choice.scope === "own" ? titles.titleOf : undefined} sessionHref={props.sessionHref} /></Show>
          </>
        )}
      </Show>
    </div>
  );
}

function Totals(props: { report: Report; saved: number | undefined }) {
  const total = () => props.report.table.total;
  return (
    <dl class="oc-dash-figures">
      <div class="oc-dash-card oc-dash-figure">
        <dt>Cost</dt>
        <dd>
          <data class="oc-dash-value" value={total().usage.costNanoUsd === undefined ? "" : exactCost(total().usage.costNanoUsd ?? 0)}>{knownCost(total())}</data>
          <span class="oc-muted">
            {spanName(props.report.table.from, props.report.table.to)}
            <Show when={total().unpricedCalls > 0}>, {formatPlural(total().unpricedCalls, "call")} without a known price</Show>
            <Show when={describeSaving(props.saved)}>{(words) => <>, {words()}</>}</Show>
          </span>
        </dd>
      </div>
      <div class="oc-dash-card oc-dash-figure">
        <dt>Tokens</dt>
        <dd>
          <span class="oc-dash-value">{formatWhole(total().usage.totalTokens)}</span>
          <span class="oc-muted">
            {formatWhole(inputTokens(total().usage))} in, {formatWhole(total().usage.outputTokens)} out
            <Show when={total().usage.cacheReadInputTokens > 0}>, {formatWhole(total().usage.cacheReadInputTokens)} read from the cache</Show>
          </span>
        </dd>
      </div>
      <div class="oc-dash-card oc-dash-figure">
        <dt>Answers</dt>
        <dd><span class="oc-dash-value">{formatWhole(total().turns)}</span><span class="oc-muted">{formatPlural(total().calls, "call")} of models<Show when={total().toolCalls > 0}>, {formatPlural(total().toolCalls, "call")} of tools</Show></span></dd>
      </div>
    </dl>
  );
}

function Nothing() {
  return (
    <div class="oc-dash-card oc-usage-nothing">
      <p><strong>Nothing was used in this time.</strong></p>
      <p class="oc-muted">Choose a longer one, or ask Claude something: each answer is counted here.</p>
    </div>
  );
}

/** Where the figures will be. */
function Skeleton() {
  return <div class="oc-usage-skeleton" aria-hidden="true"><span /><span /><span /><span /><span /></div>;
}
