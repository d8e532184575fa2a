import type { UsageSum } from "@outcrop/client";
import { createEffect, createMemo, createSignal, createUniqueId, For, on, Show } from "solid-js";
import { exactCost } from "../../format/numbers.ts";
import { modelName } from "../../format/models.ts";
import { inputTokens } from "../../format/usage.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { download, toCsv, toJson } from "./export.ts";
import { stepName } from "./range.ts";
import type { Group, Report } from "./report.ts";
import { COLUMNS, sortBy, sorted, type Column, type NamedRow, type Sorting } from "./rows.ts";
import type { Title } from "./titles.ts";

/** How many rows are shown before a person asks for all. */
const ROWS = 100;

/** The rows of a report with their total, to be sorted and taken along. Conversations of others have no titles: nobody else reads them. */
export function UsageTable(props: { report: Report; titleOf?: ((sessionId: string) => Title) | undefined; sessionHref?: ((sessionId: string) => string) | undefined }) {
  const texts = useTexts();
  const formats = useFormats();
  const words = () => texts().usagePage.table;
  const titleId = createUniqueId();
  const group = () => props.report.choice.group;
  const [sorting, setSorting] = createSignal<Sorting>(usual(group()));
  const [shown, setShown] = createSignal(ROWS);
  createEffect(
    on(
      group,
      (now) => {
        setSorting(usual(now));
        setShown(ROWS);
      },
      { defer: true },
    ),
  );

  function nameOf(key: string): string {
    switch (group()) {
      case "model":
        return modelName(key);
      case "day":
        return stepName(key, formats());
      case "user":
      case "organization":
        return key;
      case "session":
        return props.titleOf === undefined ? key : titleWords(props.titleOf(key)) ?? `${key.slice(0, 12)}…`;
    }
  }

  function titleWords(title: Title): string | undefined {
    return title && (title.isThere ? (title.title ?? texts().common.untitled) : words().deleted);
  }

  const rows = createMemo(() => {
    const named = props.report.table.rows.map((row): NamedRow => ({ ...row, name: nameOf(row.key) }));
    return sorted(named, sorting(), formats().compare);
  });
  const total = () => props.report.table.total;
  const columns = () => COLUMNS.filter((column) => column !== "tools" || total().toolCalls > 0);
  const fileName = (ending: string) => `outcrop-usage-${group()}-${props.report.table.from.slice(0, 10)}.${ending}`;
  const order = (column: Column) => (sorting().column !== column ? "none" : sorting().isDescending ? "descending" : "ascending");

  return (
    <section class="oc-dash-card oc-usage-table" aria-labelledby={titleId}>
      <div class="oc-usage-table-head">
        <h2 id={titleId}>{words().titles[group()]}</h2>
        <span class="oc-spacer" />
        <button type="button" class="oc-button" onClick={() => download(fileName("csv"), "text/csv", toCsv(group(), rows(), total()))}>{words().csv}</button>
        <button type="button" class="oc-button" onClick={() => download(fileName("json"), "application/json", toJson(group(), rows(), props.report.table))}>{words().json}</button>
      </div>
      <div class="oc-dash-scroll" role="group" aria-labelledby={titleId} tabindex="0">
        <table>
          <thead>
            <tr>
              <For each={columns()}>
                {(column) => (
                  <th scope="col" aria-sort={order(column)}>
                    <button type="button" onClick={() => setSorting(sortBy(sorting(), column))}>
                      {column === "name" ? texts().usagePage.groups[group()] : words().columns[column]}
                      <span aria-hidden="true" class="oc-usage-arrow">{order(column) === "descending" ? "↓" : "↑"}</span>
                    </button>
                  </th>
                )}
              </For>
            </tr>
          </thead>
          <tbody>
            <For each={rows().slice(0, shown())}>
              {(row) => (
                <tr>
                  <th scope="row" title={row.key}>
                    <Show when={group() === "session" && props.titleOf && props.titleOf(row.key)?.isThere !== false && props.sessionHref?.(row.key)} fallback={row.name}>
                      {(href) => <a href={href()}>{row.name}</a>}
                    </Show>
                  </th>
                  <Cells sum={row} tools={total().toolCalls > 0} />
                </tr>
              )}
            </For>
          </tbody>
          <tfoot>
            <tr><th scope="row">{words().total}</th><Cells sum={total()} tools={total().toolCalls > 0} /></tr>
          </tfoot>
        </table>
      </div>
      <Show when={rows().length > shown()}>
        <button type="button" class="oc-button" onClick={() => setShown(Infinity)}>{words().showAll(formats().wholeOf(rows().length))}</button>
      </Show>
      <Notes total={total()} />
    </section>
  );
}

function Cells(props: { sum: UsageSum; tools: boolean }) {
  const texts = useTexts();
  const formats = useFormats();
  const whole = (count: number) => formats().formatWhole(count);
  const cost = () => props.sum.usage.costNanoUsd;
  const retried = () => (props.sum.calls === props.sum.turns ? undefined : texts().usagePage.modelCalls(formats().wholeOf(props.sum.calls)));
  return (
    <>
      <td title={cost() === undefined ? undefined : formats().formatExactCost(cost() ?? 0)}>
        <data value={cost() === undefined ? "" : exactCost(cost() ?? 0)}>{formats().sumCost(props.sum)}</data>
      </td>
      <td>{whole(props.sum.usage.totalTokens)}</td>
      <td>{whole(inputTokens(props.sum.usage))}</td>
      <td>{whole(props.sum.usage.outputTokens)}</td>
      <td title={retried()}>{whole(props.sum.turns)}</td>
      <Show when={props.tools}><td>{whole(props.sum.toolCalls)}</td></Show>
    </>
  );
}

/** What the marks in the table mean, where there are any. */
function Notes(props: { total: UsageSum }) {
  const texts = useTexts();
  const formats = useFormats();
  return (
    <>
      <Show when={props.total.estimatedCalls > 0}>
        <p class="oc-usage-note">{texts().usagePage.table.estimated(formats().wholeOf(props.total.estimatedCalls))}</p>
      </Show>
      <Show when={props.total.unpricedCalls > 0}>
        <p class="oc-usage-note">{texts().usagePage.table.unpriced(formats().wholeOf(props.total.unpricedCalls))}</p>
      </Show>
    </>
  );
}

/** By what one looks at a table first: days in their order, everything else by cost. */
function usual(group: Group): Sorting {
  return group === "day" ? { column: "name", isDescending: true } : { column: "cost", isDescending: true };
}
