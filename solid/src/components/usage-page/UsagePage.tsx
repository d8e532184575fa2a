import type { ModelPrice, Usage } from "@outcrop/client";
import { createEffect, createMemo, on, Show } from "solid-js";
import type { Client } from "../../chat/client.ts";
import type { Conversations } from "../../chat/conversations.ts";
import { savedByCaching } from "../../chat/gauge.ts";
import { pageClock } from "../../chat/ids.ts";
import { exactCost } from "../../format/numbers.ts";
import { inputTokens } from "../../format/usage.ts";
import { TextsProvider, useFormats, useTexts, type Words } from "../../texts/TextsProvider.tsx";
import { Budgets } from "./Budgets.tsx";
import { Charts } from "./Charts.tsx";
import { Controls } from "./Controls.tsx";
import { makeReports, scopesOf, type Report } from "./report.ts";
import { makeTitles } from "./titles.ts";
import { UsageTable } from "./UsageTable.tsx";

export interface UsagePageProps extends Words {
  client: Client;
  conversations: Conversations;
  /** The address of a conversation, where the page around this one has such: the table links there. */
  sessionHref?: ((sessionId: string) => string) | undefined;
  /** Milliseconds since the epoch. */
  clock?: (() => number) | undefined;
}

/** What the proxy has counted, of all pages and of the past: over time, by what a person chooses, with the budgets. */
export function UsagePage(props: UsagePageProps) {
  return <TextsProvider texts={props.texts} locale={props.locale}><Page {...props} /></TextsProvider>;
}

function Page(props: UsagePageProps) {
  const texts = useTexts();
  const words = () => texts().usagePage;
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
        <h1>{words().title}</h1>
        <p class="oc-muted">{words().text}</p>
      </div>
      <Controls choice={state().choice} scopes={scopesOf(props.conversations.server())} isLoading={state().phase === "loading"} onChoose={(choice) => void reports.load(choice)} onReload={() => void reports.reload()} />
      <p class="oc-hidden" role="status">{state().phase === "loading" ? words().loading : ""}</p>
      <Show when={state().phase === "failed" && state().failure}>
        {(failure) => (
          <div class="oc-notice oc-notice-error" role="alert">
            <p><strong>{texts().errors[failure().code]}</strong> {failure().message}</p>
            <button type="button" class="oc-button" onClick={() => void reports.reload()}>{words().tryAgain}</button>
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
  const texts = useTexts();
  const formats = useFormats();
  const words = () => texts().usagePage;
  const whole = (count: number) => formats().wholeOf(count);
  const list = (...parts: (string | false | undefined)[]) => texts().common.list(parts.filter((part) => typeof part === "string"));
  /** The first and the last day of it, or the only one. */
  const span = () => {
    const { from, to } = props.report.table;
    const [first, last] = [formats().shortDayName(Date.parse(from)), formats().shortDayName(Date.parse(to) - 1)];
    return first === last ? first : words().span(first, last);
  };
  const total = () => props.report.table.total;
  return (
    <dl class="oc-dash-figures">
      <div class="oc-dash-card oc-dash-figure">
        <dt>{words().cost}</dt>
        <dd>
          <data class="oc-dash-value" value={total().usage.costNanoUsd === undefined ? "" : exactCost(total().usage.costNanoUsd ?? 0)}>{formats().knownCost(total())}</data>
          <span class="oc-muted">
            {list(span(), total().unpricedCalls > 0 && words().unpricedCalls(whole(total().unpricedCalls)), formats().describeSaving(props.saved))}
          </span>
        </dd>
      </div>
      <div class="oc-dash-card oc-dash-figure">
        <dt>{words().tokens}</dt>
        <dd>
          <span class="oc-dash-value">{formats().formatWhole(total().usage.totalTokens)}</span>
          <span class="oc-muted">
            {list(
              texts().usage.in(whole(inputTokens(total().usage))),
              texts().usage.out(whole(total().usage.outputTokens)),
              total().usage.cacheReadInputTokens > 0 && texts().usage.readFromCache(whole(total().usage.cacheReadInputTokens)),
            )}
          </span>
        </dd>
      </div>
      <div class="oc-dash-card oc-dash-figure">
        <dt>{words().answers}</dt>
        <dd>
          <span class="oc-dash-value">{formats().formatWhole(total().turns)}</span>
          <span class="oc-muted">{list(words().modelCalls(whole(total().calls)), total().toolCalls > 0 && words().toolCalls(whole(total().toolCalls)))}</span>
        </dd>
      </div>
    </dl>
  );
}

function Nothing() {
  const texts = useTexts();
  return (
    <div class="oc-dash-card oc-usage-nothing">
      <p><strong>{texts().usagePage.nothing}</strong></p>
      <p class="oc-muted">{texts().usagePage.nothingText}</p>
    </div>
  );
}

/** Where the figures will be. */
function Skeleton() {
  return <div class="oc-usage-skeleton" aria-hidden="true"><span /><span /><span /><span /><span /></div>;
}
